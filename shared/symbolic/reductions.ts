import { add, fromSmall, isZero, number, scale, termsOf, ZERO, type Algebra } from './algebra.ts'
import {
  C,
  dimsOf,
  FULL,
  HW,
  isFull,
  N,
  type Expression,
  type FunctionExpression,
  type Full,
  type Small,
  type Value,
} from './expression.ts'
import type { IndexSet } from '../ops.ts'

/** The axes an index set reduces; hwg also reduces over the channels of each group. */
export const AXES: Readonly<Record<IndexSet, number>> = { nhw: N | HW, hwc: HW | C, hw: HW, hwg: HW }

export type Reductions = ReturnType<typeof createReductions>

/** Sums and moments of linear combinations: factors that do not vary over the axes stay outside the sum. */
export const createReductions = (algebra: Algebra) => {
  const { arena, multiply, multiplyExpressions, whole } = algebra

  /** How many elements the axes have. */
  const count = (axes: number): Small => {
    let all: Expression | null = null
    if (axes & HW) all = multiplyExpressions(all, arena.dimension('hw'))
    if (axes & N) all = multiplyExpressions(all, arena.dimension('n'))
    if (axes & C) all = multiplyExpressions(all, arena.dimension('c'))
    return all ? fromSmall(all) : number(1)
  }
  const perGroup = (): Small => fromSmall(arena.dimension('k'))

  /** The factors of a small expression that vary as told, and the others. */
  const split = (expression: Expression, varies: (factor: Expression) => boolean) => {
    const factors = expression.kind === 'product' ? expression.powers : new Map([[expression, 1]] as const)
    const inside = new Map([...factors].filter(([factor]) => varies(factor)))
    const outside = new Map([...factors].filter(([factor]) => !varies(factor)))
    return { inside: arena.product(inside), outside: arena.product(outside) }
  }
  const toSmall = (expression: Expression | null): Small => (expression ? fromSmall(expression) : number(1))

  /**
   * Applies a linear reduction to a small value: what varies goes inside `reduce`, all else is multiplied by `constant`.
   */
  const linear = (
    value: Small,
    varies: (factor: Expression) => boolean,
    reduce: (inside: Expression) => Small,
    constant: Small,
  ): Small => {
    let result = multiply(number(value.rest), constant)
    let several: Small = ZERO
    const parts: { by: number; inside: Expression; outside: Expression | null }[] = []
    for (const [expression, by] of value.terms) {
      const { inside, outside } = split(expression, varies)
      if (inside) {
        parts.push({ by, inside, outside })
        several = add(several, fromSmall(expression, by))
      } else result = add(result, multiply(fromSmall(expression, by), constant))
    }
    // One reduction of the whole rather than one for each term.
    if (parts.length > 1) return add(result, reduce(whole(several)))
    for (const { by, inside, outside } of parts)
      result = add(result, scale(multiply(toSmall(outside), reduce(inside)), by))
    return result
  }

  const sumSmall = (value: Small, domain: number, to: number): Small => {
    const reduced = domain & ~to
    const constant = count(reduced)
    return linear(
      value,
      (factor) => (factor.dims & reduced) !== 0,
      (inside) => {
        const sum = arena.apply('sum', [inside], { dims: inside.dims & ~reduced })
        return multiply(fromSmall(sum), count(reduced & ~inside.dims))
      },
      constant,
    )
  }

  const sumFull = (expression: Expression, to: number): Small => {
    if (isCentred(expression) && vanishes(expression.inputs[1]!, to)) return ZERO
    // A sum of k·F + m follows from the sum of F.
    if (expression.kind === 'sum' && isFull(expression.value) && expression.value.terms.size === 1)
      return sum(expression.value, FULL, to)
    return fromSmall(arena.apply('sum', [expression], { dims: to }))
  }

  /** The sum over the axes of `domain` that `to` lacks, of a value broadcast to `domain`. */
  const sum = (value: Value, domain: number, to: number): Small => {
    if (!isFull(value)) return sumSmall(value, domain, to)
    let result = sumSmall(value.rest, FULL, to)
    for (const { by, of } of termsOf({ ...value, rest: ZERO })) {
      const kept = to | dimsOf(by)
      const inner = multiply(by, sumFull(of!, kept))
      result = add(result, sumSmall(inner, kept, to))
    }
    return result
  }

  const groupSum = (value: Small): Small =>
    linear(
      value,
      (factor) => !isGroupConstant(factor),
      (inside) => (isCentredSum(inside) ? ZERO : fromSmall(arena.apply('groupSum', [inside]))),
      perGroup(),
    )

  /** How many elements one value of the index set is made of, of a value that varies along `dims`. */
  const countOf = (set: IndexSet, dims: number): Small => {
    const all = count(AXES[set] & dims)
    return set === 'hwg' && dims & C ? multiply(all, perGroup()) : all
  }

  const mean = (value: Value, set: IndexSet): Small => {
    const dims = dimsOf(value)
    const total = sum(value, dims, dims & ~AXES[set])
    const grouped = set === 'hwg' && dims & C ? groupSum(total) : total
    return multiply(grouped, algebra.invert(countOf(set, dims)))
  }

  /** Whether the value is one number over every cell of the index set. */
  const isConstantOver = (value: Value, set: IndexSet): boolean => {
    if (isFull(value)) return false
    if (dimsOf(value) & AXES[set]) return false
    return set !== 'hwg' || [...value.terms.keys()].every(isGroupConstant)
  }

  const variance = (value: Value, set: IndexSet): Small => {
    if (isConstantOver(value, set)) return ZERO
    const terms = termsOf(value).filter(({ of }) => of !== null)
    if (!isFull(value)) return varianceSmall(value, set)
    if (terms.length > 1) {
      const { by, of } = algebra.single(value)
      if (!isConstantOver(by, set)) return varianceOf(whole(value), set)
      return multiply(multiply(by, by), varianceOf(of!, set))
    }
    const { by, of } = terms[0]!
    if (isConstantOver(by, set) && isConstantOver(value.rest, set))
      return multiply(multiply(by, by), varianceOf(of!, set))
    const { first, second } = spatial(value)
    return add(mean(second, set), variance(first, set))
  }

  const varianceSmall = (value: Small, set: IndexSet): Small => {
    const varying = [...value.terms].filter(([e]) => !isConstantOver(fromSmall(e), set))
    const { by, of } = algebra.single({ terms: new Map(varying), rest: 0 })
    const { inside, outside } = split(of!, (factor) => !isConstantOver(fromSmall(factor), set))
    const factor = multiply(by, toSmall(outside))
    return multiply(multiply(factor, factor), varianceOf(inside!, set))
  }

  /** Mean and variance over space of k·F + m, from those of F. */
  const spatial = (value: Full): { first: Small; second: Small } => {
    const [{ by, of }] = termsOf({ ...value, rest: ZERO }) as [{ by: Small; of: Expression }]
    const second = multiply(multiply(by, by), varianceOf(of, 'hw'))
    return { first: mean(value, 'hw'), second }
  }

  const varianceOf = (expression: Expression, set: IndexSet): Small => {
    if (isCentred(expression) && isConstantOver(fromSmall(expression.inputs[1]!), set))
      return varianceOf(expression.inputs[0]!, set)
    const grouped = set === 'hwg' && (expression.dims & C) !== 0
    const dims = expression.dims & ~AXES[set]
    return fromSmall(arena.apply('variance', [expression], { dims, grouped }))
  }

  /** The mean of the square; of k·F + m by way of the variance, which does not cancel. */
  const meanSquare = (value: Value, set: IndexSet): Small => {
    if (isFull(value) && value.terms.size === 1 && !isZero(value.rest)) {
      const { first, second } = spatial(value)
      return mean(add(second, multiply(first, first)), set)
    }
    return mean(multiply(value, value), set)
  }

  return { sum, groupSum, mean, variance, meanSquare, countOf }
}

const isCentred = (expression: Expression): expression is FunctionExpression =>
  expression.kind === 'function' && expression.name === 'centred'
const isPerGroup = (mean: Expression): boolean => (mean.dims & C) !== 0 && isGroupConstant(mean)
/** Whether the sum down to `to` of what was centred by `mean` is 0. */
const vanishes = (mean: Expression, to: number): boolean =>
  isPerGroup(mean) ? (to & C) === 0 : (to & ~mean.dims) === 0
/** The sum over space of what was centred in groups. */
const isCentredSum = (expression: Expression): boolean =>
  expression.kind === 'function' &&
  expression.name === 'sum' &&
  isCentred(expression.inputs[0]!) &&
  isPerGroup(expression.inputs[0].inputs[1]!)

const groupConstant = new WeakMap<Expression, boolean>()
/** Whether every channel of a group has the same value. */
const isGroupConstant = (expression: Expression): boolean => {
  const known = groupConstant.get(expression) ?? hasGroupConstants(expression)
  groupConstant.set(expression, known)
  return known
}
const hasGroupConstants = (expression: Expression): boolean => {
  if ((expression.dims & C) === 0) return true
  switch (expression.kind) {
    case 'leaf':
    case 'dimension':
      return false
    case 'product':
      return [...expression.powers.keys()].every(isGroupConstant)
    case 'sum':
      return [...expression.value.terms.keys()].every(isGroupConstant)
    case 'function': {
      const { name, grouped, inputs } = expression
      if (name === 'groupSum' || (name === 'variance' && grouped)) return true
      if (name === 'sum' || name === 'variance') return false
      return inputs.every(isGroupConstant)
    }
  }
}
