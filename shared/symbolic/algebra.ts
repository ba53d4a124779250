import {
  boundsOf,
  FULL,
  isFull,
  keyOf,
  type Arena,
  type Expression,
  type Full,
  type Product,
  type Small,
  type Value,
} from './expression.ts'

/**
 * Arithmetic on linear combinations. Coefficients float outwards: (a·F) · (b·G) is (a·b) · (F·G), so that per-channel and
 * per-sample factors are multiplied while they are small, like terms of a gradient merge, and a sum over axes leaves
 * such factors outside. A combination of several terms becomes one expression only where something nonlinear
 * needs it whole.
 */
export const number = (rest: number): Small => ({ terms: new Map(), rest })
export const ZERO = number(0)
export const ONE = number(1)

export const isNumber = (value: Value): value is Small => !isFull(value) && value.terms.size === 0
export const isZero = (value: Value): boolean => isNumber(value) && value.rest === 0
export const equal = (a: Value, b: Value): boolean => isFull(a) === isFull(b) && keyOf(a) === keyOf(b)

/** The terms in order of age, so that every choice among them is the same in every run. */
const ordered = <T>(terms: ReadonlyMap<Expression, T>): [Expression, T][] =>
  [...terms].sort(([a], [b]) => a.id - b.id)

export const fromSmall = (expression: Expression, by = 1): Small => ({
  terms: new Map([[expression, by]]),
  rest: 0,
})
export const from = (expression: Expression): Value =>
  expression.dims === FULL ? { terms: new Map([[expression, ONE]]), rest: ZERO } : fromSmall(expression)

const addSmall = (a: Small, b: Small): Small => {
  const terms = new Map(a.terms)
  for (const [expression, by] of b.terms) {
    const total = (terms.get(expression) ?? 0) + by
    if (total === 0) terms.delete(expression)
    else terms.set(expression, total)
  }
  return { terms, rest: a.rest + b.rest }
}
const scaleSmall = (value: Small, by: number): Small =>
  by === 0 ? ZERO : { terms: mapTerms(value.terms, (c) => c * by), rest: value.rest * by }

const mapTerms = <T>(terms: ReadonlyMap<Expression, T>, f: (by: T) => T): Map<Expression, T> =>
  new Map([...terms].map(([expression, by]) => [expression, f(by)]))

/** A full-size combination without full-size terms is a small one. */
const settle = (terms: ReadonlyMap<Expression, Small>, rest: Small): Value => {
  const kept = new Map([...terms].filter(([, by]) => !isZero(by)))
  return kept.size === 0 ? rest : { terms: kept, rest }
}

export function add(a: Small, b: Small): Small
export function add(a: Value, b: Value): Value
export function add(a: Value, b: Value): Value {
  if (!isFull(a) && !isFull(b)) return addSmall(a, b)
  const terms = new Map(isFull(a) ? a.terms : [])
  if (isFull(b)) for (const [e, by] of b.terms) terms.set(e, addSmall(terms.get(e) ?? ZERO, by))
  return settle(terms, addSmall(isFull(a) ? a.rest : a, isFull(b) ? b.rest : b))
}

export function scale(value: Small, by: number): Small
export function scale(value: Value, by: number): Value
export function scale(value: Value, by: number): Value {
  return isFull(value)
    ? settle(
        mapTerms(value.terms, (c) => scaleSmall(c, by)),
        scaleSmall(value.rest, by),
      )
    : scaleSmall(value, by)
}
export function negate(value: Small): Small
export function negate(value: Value): Value
export function negate(value: Value): Value {
  return scale(value, -1)
}
export const subtract = (a: Value, b: Value): Value => add(a, negate(b))

/** coefficient · expression, where a null expression stands for 1. */
export type Term = { readonly by: Small; readonly of: Expression | null }

/** The value's terms, its rest among them. */
export const termsOf = (value: Value): Term[] => {
  const terms: Term[] = isFull(value) ? ordered(value.terms).map(([of, by]) => ({ of, by })) : []
  const rest = isFull(value) ? value.rest : value
  return isZero(rest) ? terms : [...terms, { of: null, by: rest }]
}

export type Algebra = ReturnType<typeof createAlgebra>

export const createAlgebra = (arena: Arena) => {
  /** a · b^exponent; null stands for 1. */
  const multiplyExpressions = (
    a: Expression | null,
    b: Expression | null,
    exponent = 1,
  ): Expression | null => {
    const powers = new Map<Expression, number>()
    for (const [factors, by] of [
      [factorsOf(a), 1],
      [factorsOf(b), exponent],
    ] as const)
      for (const [factor, p] of factors) powers.set(factor, (powers.get(factor) ?? 0) + p * by)
    return arena.product(powers)
  }

  /** A product less one power of one of its factors: its derivative by that factor, but for the exponent. */
  const without = (product: Product, factor: Expression): Expression | null =>
    arena.product(new Map(product.powers).set(factor, product.powers.get(factor)! - 1))

  /** The value as one expression. */
  const whole = (value: Value): Expression => {
    const [first] = value.terms.keys()
    return first && equal(value, from(first)) ? first : arena.sum(value)
  }

  /** A small value as number · expression. */
  const singleSmall = (value: Small): { by: number; of: Expression | null } => {
    const [first] = ordered(value.terms)
    if (!first) return { by: value.rest, of: null }
    const [expression, by] = first
    if (value.terms.size === 1 && value.rest === 0) return { by, of: expression }
    return { by, of: arena.sum(scaleSmall(value, 1 / by)) }
  }

  const multiplySmall = (a: Small, b: Small): Small => {
    if (isNumber(a)) return scaleSmall(b, a.rest)
    if (isNumber(b)) return scaleSmall(a, b.rest)
    const [left, right] = [singleSmall(a), singleSmall(b)]
    const product = multiplyExpressions(left.of, right.of)
    const by = left.by * right.by
    return product === null ? number(by) : fromSmall(product, by)
  }

  const invertSmall = (value: Small): Small => {
    const { by, of } = singleSmall(value)
    const inverse = multiplyExpressions(null, of, -1)
    return inverse === null ? number(1 / by) : fromSmall(inverse, 1 / by)
  }

  /** coefficient · expression as a value. */
  const fromTerm = ({ by, of }: Term): Value => {
    if (of === null) return by
    if (of.dims !== FULL) return multiplySmall(by, fromSmall(of))
    return isZero(by) ? ZERO : { terms: new Map([[of, by]]), rest: ZERO }
  }

  /** b / a where that is a number. */
  const ratio = (a: Small, b: Small): number | null => {
    const [first] = a.terms
    const by = first ? (b.terms.get(first[0]) ?? 0) / first[1] : b.rest / a.rest
    return equal(scaleSmall(a, by), b) ? by : null
  }

  /** The value as one term: a coefficient that all terms share stays outside. */
  const single = (value: Value): Term => {
    if (!isFull(value)) {
      const { by, of } = singleSmall(value)
      return { by: number(by), of }
    }
    const terms = ordered(value.terms)
    const [first, lead] = terms[0]!
    if (terms.length === 1 && isZero(value.rest)) return { by: lead, of: first }
    const ratios = terms.map(([, by]) => ratio(lead, by))
    const rest = ratio(lead, value.rest)
    if (rest === null || ratios.includes(null)) return { by: ONE, of: arena.sum(value) }
    const inner: Full = {
      terms: new Map(terms.map(([expression], i) => [expression, number(ratios[i]!)])),
      rest: number(rest),
    }
    return { by: lead, of: arena.sum(inner) }
  }

  function multiply(a: Small, b: Small): Small
  function multiply(a: Value, b: Value): Value
  function multiply(a: Value, b: Value): Value {
    if (!isFull(a) && !isFull(b)) return multiplySmall(a, b)
    if (!isFull(a)) return multiply(b, a)
    if (!isFull(b))
      return settle(
        mapTerms(a.terms, (by) => multiplySmall(by, b)),
        multiplySmall(a.rest, b),
      )
    const [left, right] = [single(a), single(b)]
    return fromTerm({
      by: multiplySmall(left.by, right.by),
      of: multiplyExpressions(left.of, right.of),
    })
  }

  /** 1 / value, where the value is known never to be 0. */
  function invert(value: Small): Small
  function invert(value: Value): Value
  function invert(value: Value): Value {
    if (!isFull(value)) return invertSmall(value)
    const { by, of } = single(value)
    return fromTerm({ by: invertSmall(by), of: multiplyExpressions(null, of, -1) })
  }

  return { arena, multiplyExpressions, without, multiply, invert, whole, single, fromTerm }
}

/**
 * A product of more factors than this is a factor of its own in further products: x · x, squared again and again, would
 * otherwise have 2⁶⁰ factors.
 */
export const MOST_FACTORS = 12

const factorsOf = (expression: Expression | null): Iterable<readonly [Expression, number]> => {
  if (expression === null) return []
  if (expression.kind !== 'product') return [[expression, 1]]
  let count = 0
  for (const exponent of expression.powers.values()) count += Math.abs(exponent)
  return count > MOST_FACTORS ? [[expression, 1]] : expression.powers
}

export const atLeast = (value: Value, least: number): boolean => boundsOf(value)[0] >= least * (1 - 1e-9)
export const atMost = (value: Value, most: number): boolean =>
  boundsOf(value)[1] <= most + Math.abs(most) * 1e-9
