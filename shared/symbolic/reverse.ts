import { EPSILON } from '../ops.ts'
import {
  add,
  from,
  isNumber,
  isZero,
  negate,
  number,
  scale,
  subtract,
  termsOf,
  ZERO,
  type Term,
} from './algebra.ts'
import {
  dimsOf,
  FULL,
  isFull,
  type Expression,
  type FunctionExpression,
  type Full,
  type Small,
  type Value,
} from './expression.ts'
import type { Symbols } from './symbols.ts'

/**
 * What is done with an adjoint of several full-size terms before it is multiplied on: each term goes its own way, the terms
 * are added up first, or the per-channel rest is added too. Which needs the fewest passes depends on the layer.
 */
export const STRATEGIES = ['apart', 'terms', 'all'] as const
export type Strategy = (typeof STRATEGIES)[number]

/** An adjoint of more terms is added up whatever the strategy: kept apart, they double with each node that uses one twice. */
const MOST_TERMS = 8

/**
 * Reverse-mode differentiation of expressions: the gradients with respect to `leaves` of Σ output · seed (summed over all
 * elements), again as values, so that it can be applied to its own result.
 */
export const gradient = (
  outputs: readonly (readonly [output: Value, seed: Value])[],
  leaves: readonly Expression[],
  symbols: Symbols,
  strategy: Strategy,
): Value[] => {
  const { algebra, reductions, functions } = symbols
  const { multiply, multiplyExpressions, without, single, fromTerm, whole } = algebra
  const adjoints = new Map<Expression, Value>()
  const pending = new Set<Expression>()

  /** Adds to an expression's adjoint, summed over the axes of `domain` along which the expression was repeated. */
  const push = (expression: Expression, adjoint: Value, domain: number): void => {
    if (expression.kind === 'dimension' || isZero(adjoint)) return
    const own = domain & ~expression.dims ? reductions.sum(adjoint, domain, expression.dims) : adjoint
    adjoints.set(expression, add(adjoints.get(expression) ?? ZERO, own))
    pending.add(expression)
  }

  const collapse = (adjoint: Value): Value => {
    if (!isFull(adjoint) || (strategy === 'terms' && adjoint.terms.size === 1)) return adjoint
    if (strategy === 'apart' && adjoint.terms.size <= MOST_TERMS) return adjoint
    if (adjoint.terms.size === 1 && isZero(adjoint.rest)) return adjoint
    if (strategy === 'all') return fromTerm(single(adjoint))
    return add(fromTerm(single({ ...adjoint, rest: ZERO })), adjoint.rest)
  }

  /** A linear function of the adjoint, term by term. */
  const linear = (adjoint: Value, f: (of: Expression | null) => Value): Value =>
    termsOf(isFull(adjoint) ? adjoint : fromTerm(single(adjoint)))
      .flatMap(({ by, of }): Term[] => (isFull(adjoint) ? [{ by, of }] : [single(by)]))
      .map(({ by, of }) => multiply(f(of), by))
      .reduce(add, ZERO)

  /** adjoint · factor^exponent */
  const times = (adjoint: Value, factor: Expression | null, exponent = 1): Value =>
    linear(adjoint, (of) => {
      const product = multiplyExpressions(of, factor, exponent)
      return product === null ? number(1) : from(product)
    })

  const spreadSmall = (value: Small, adjoint: Small): void => {
    for (const [expression, by] of value.terms) push(expression, scale(adjoint, by), dimsOf(value))
  }
  const spread = (value: Value, adjoint: Value): void => {
    if (!isFull(value)) {
      spreadSmall(value, reductions.sum(adjoint, isFull(adjoint) ? FULL : dimsOf(value), dimsOf(value)))
      return
    }
    for (const [expression, by] of value.terms) {
      push(expression, multiply(adjoint, by), FULL)
      if (!isNumber(by)) spreadSmall(by, reductions.sum(times(adjoint, expression), FULL, dimsOf(by)))
    }
    if (!isNumber(value.rest)) spreadSmall(value.rest, reductions.sum(adjoint, FULL, dimsOf(value.rest)))
  }

  const apply = (name: 'reluGrad' | 'sigmoidGrad' | 'tanhGrad', a: Expression, b: Expression): Value =>
    from(symbols.arena.apply(name, [a, b]))

  /** adjoint where features > 0, else 0. */
  const masked = (adjoint: Value, features: Expression): Value =>
    linear(adjoint, (of) => {
      if (of !== null) return apply('reluGrad', of, features)
      const positive = features.lo >= 0 ? from(features) : functions.apply('relu', from(features))
      return functions.sign(positive)
    })
  const throughSigmoid = (adjoint: Value, y: Expression): Value =>
    linear(adjoint, (of) =>
      of === null ? subtract(from(y), multiply(from(y), from(y))) : apply('sigmoidGrad', y, of),
    )
  const throughTanh = (adjoint: Value, y: Expression): Value =>
    linear(adjoint, (of) =>
      of === null ? subtract(number(1), multiply(from(y), from(y))) : apply('tanhGrad', y, of),
    )

  /** An expression as the linear combination that it is of others. */
  const unfolded = (e: Expression): Value => {
    if (e.kind !== 'product') return e.kind === 'sum' ? e.value : from(e)
    const factors = [...e.powers].map(([factor, exponent]) => multiplyExpressions(null, factor, exponent)!)
    return factors.map(from).reduce(multiply)
  }
  /** An expression that is positive where the value is. */
  const directionOf = (value: Value): Expression => {
    const { by, of } = single(value)
    return of !== null && isNumber(by) && by.rest > 0 ? of : whole(value)
  }

  const throughFunction = (y: FunctionExpression, adjoint: Value): void => {
    const [a, b] = y.inputs as [Expression, Expression]
    const give = (input: Expression, value: Value): void => push(input, value, y.dims)
    switch (y.name) {
      case 'relu':
        return give(a, masked(adjoint, a))
      case 'sigmoid':
        return give(a, throughSigmoid(adjoint, y))
      case 'tanh':
        return give(a, throughTanh(adjoint, y))
      case 'exp':
        return give(a, times(adjoint, y))
      case 'log':
        return give(a, times(adjoint, a, -1))
      case 'sqrt':
        return give(a, scale(times(adjoint, y, -1), 0.5))
      case 'abs':
        return give(a, multiply(adjoint, functions.sign(from(a))))
      case 'sign':
        return
      case 'max': {
        const second = masked(adjoint, directionOf(subtract(unfolded(b), unfolded(a))))
        give(b, second)
        return give(a, subtract(adjoint, second))
      }
      case 'centred':
        give(a, adjoint)
        return give(b, negate(adjoint))
      case 'guard': {
        const above = subtract(functions.abs(from(a)), number(EPSILON))
        return give(a, masked(adjoint, whole(above)))
      }
      case 'reluGrad':
        return give(a, masked(adjoint, b))
      case 'sigmoidGrad':
        give(b, throughSigmoid(adjoint, a))
        return give(a, multiply(times(adjoint, b), subtract(number(1), scale(from(a), 2))))
      case 'tanhGrad':
        give(b, throughTanh(adjoint, a))
        return give(a, scale(times(times(adjoint, b), a), -2))
      case 'sum':
        return push(a, adjoint, a.dims)
      case 'groupSum':
        return push(a, reductions.groupSum(adjoint as Small), a.dims)
      case 'variance': {
        const set = setOf(y)
        const shared = y.grouped ? reductions.groupSum(adjoint as Small) : (adjoint as Small)
        const factor = scale(multiply(shared, algebra.invert(reductions.countOf(set, a.dims))), 2)
        return push(a, multiply(subtract(from(a), reductions.mean(from(a), set)), factor), a.dims)
      }
      default: {
        // The compiler finds what has no derivative here: the gradient through it would silently be zero.
        const missing: never = y.name
        throw new Error(`derivative: there is none of ${String(missing)}`)
      }
    }
  }

  const through = (y: Expression, adjoint: Value): void => {
    if (y.kind === 'sum') spread(y.value, adjoint)
    else if (y.kind === 'function') throughFunction(y, adjoint)
    else if (y.kind === 'product')
      for (const [factor, exponent] of y.powers)
        push(factor, scale(times(adjoint, without(y, factor)), exponent), y.dims)
  }

  for (const [output, seed] of outputs) spread(output, seed)
  while (pending.size > 0) {
    let last: Expression | null = null
    for (const expression of pending) if (last === null || expression.id > last.id) last = expression
    pending.delete(last!)
    if (last!.kind !== 'leaf') through(last!, collapse(adjoints.get(last!)!))
  }
  return leaves.map((leaf) => adjoints.get(leaf) ?? ZERO)
}

/** The index set that a variance was taken over. */
const setOf = (y: FunctionExpression): 'nhw' | 'hwc' | 'hw' | 'hwg' => {
  if (y.grouped) return 'hwg'
  const reduced = y.inputs[0]!.dims & ~y.dims
  if (reduced & 2) return 'nhw'
  return reduced & 1 ? 'hwc' : 'hw'
}
export type { Full }
