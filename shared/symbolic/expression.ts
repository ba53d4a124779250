/**
 * Expressions over tensors, each built once: an arena gives the same object for the same op and operands, so that shared
 * sub-expressions are shared by construction. What an expression is made of:
 *
 *   leaf      a named input
 *   product   of other expressions with integer exponents (quotients and squares are products)
 *   sum       a linear combination with coefficients (`lin`)
 *   function  sigmoid, exp, … and the reductions
 *
 * Dims are a bit set of the axes along which a value varies. Bounds [lo, hi] are of the exact value; they
 * decide where ε-guards and signs can be left out.
 */
import type { Dimension } from './program.ts'

export const C = 1
export const N = 2
export const HW = 4
export const FULL = C | N | HW

/** A linear combination of small (not full-size) expressions with numbers: Σ number · expression + rest. */
export type Small = { readonly terms: ReadonlyMap<Expression, number>; readonly rest: number }
/** A linear combination of full-size expressions with small coefficients: Σ small · expression + rest. */
export type Full = { readonly terms: ReadonlyMap<Expression, Small>; readonly rest: Small }
export type Value = Small | Full

export type FunctionName =
  | 'relu'
  | 'sigmoid'
  | 'tanh'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'abs'
  | 'sign'
  | 'max'
  | 'centred' // (F, m): F less its mean m over an index set
  | 'guard' // the operand, its magnitude at least ε, 0 counting as positive
  | 'reluGrad' // (gradient, features)
  | 'sigmoidGrad' // (y, gradient)
  | 'tanhGrad' // (y, gradient)
  | 'sum' // down to `dims`
  | 'variance' // biased, down to `dims`; over groups where `grouped`
  | 'groupSum' // over the channels of each group, given to every channel of it

type Kind =
  | { readonly kind: 'leaf'; readonly name: string }
  | { readonly kind: 'dimension'; readonly name: Dimension }
  | ProductKind
  | { readonly kind: 'sum'; readonly value: Value }
  | FunctionKind
type ProductKind = { readonly kind: 'product'; readonly powers: ReadonlyMap<Expression, number> }
type FunctionKind = {
  readonly kind: 'function'
  readonly name: FunctionName
  readonly inputs: readonly Expression[]
  /** Whether a variance is taken over the channels of each group, too. */
  readonly grouped: boolean
}
export type Expression = {
  readonly id: number
  readonly dims: number
  readonly lo: number
  readonly hi: number
} & Kind
export type FunctionExpression = Expression & FunctionKind
export type Product = Expression & ProductKind

export const isFull = (value: Value): value is Full => typeof value.rest !== 'number'

export const dimsOf = (value: Value): number => {
  if (isFull(value)) return FULL
  let dims = 0
  for (const expression of value.terms.keys()) dims |= expression.dims
  return dims
}

type Interval = readonly [lo: number, hi: number]
const times = ([a, b]: Interval, [c, d]: Interval): Interval => {
  // 0 · ∞ is 0 here: a bound that is reached only in the limit.
  const products = [a * c, a * d, b * c, b * d].map((p) => (Number.isNaN(p) ? 0 : p))
  return [Math.min(...products), Math.max(...products)]
}
const power = (e: Expression, exponent: number): Interval => {
  let result: Interval = [1, 1]
  for (let i = 0; i < Math.abs(exponent); i++) result = times(result, [e.lo, e.hi])
  if (exponent % 2 === 0) result = [Math.max(0, result[0]), result[1]]
  if (exponent > 0) return result
  return result[0] > 0 ? [1 / result[1], 1 / result[0]] : [-Infinity, Infinity]
}

export const boundsOf = (value: Value): Interval => {
  let [lo, hi]: Interval = isFull(value) ? boundsOf(value.rest) : [value.rest, value.rest]
  for (const [expression, by] of value.terms) {
    const factor: Interval = typeof by === 'number' ? [by, by] : boundsOf(by)
    const [from, to] = times(factor, [expression.lo, expression.hi])
    lo += from
    hi += to
  }
  return [Number.isNaN(lo) ? -Infinity : lo, Number.isNaN(hi) ? Infinity : hi]
}

export const keyOf = (value: Value): string => {
  const terms = [...value.terms]
    .map(([expression, by]) => [expression.id, typeof by === 'number' ? `${by}` : `(${keyOf(by)})`] as const)
    .sort(([a], [b]) => a - b)
    .map(([id, by]) => `${by}*${id}`)
  return `${terms.join('+')}|${isFull(value) ? `(${keyOf(value.rest)})` : value.rest}`
}

/** Where expressions live. Ids ascend: operands always have smaller ids than what uses them. */
export type Arena = {
  /** How many expressions there are: the work that a derivation took. */
  readonly size: () => number
  readonly leaf: (name: string, dims: number, bounds?: Interval) => Expression
  readonly dimension: (name: Dimension) => Expression
  /** The product, or the single factor itself; null where nothing but 1 remains. */
  readonly product: (powers: ReadonlyMap<Expression, number>) => Expression | null
  readonly sum: (value: Value) => Expression
  readonly apply: (
    name: FunctionName,
    inputs: readonly Expression[],
    options?: { dims?: number; grouped?: boolean },
  ) => Expression
}

export const createArena = (): Arena => {
  const known = new Map<string, Expression>()
  const intern = (key: string, dims: number, [lo, hi]: Interval, kind: Kind): Expression => {
    const found = known.get(key)
    if (found) return found
    const made: Expression = { id: known.size, dims, lo, hi, ...kind }
    known.set(key, made)
    return made
  }
  const anything: Interval = [-Infinity, Infinity]

  return {
    size: () => known.size,
    leaf: (name, dims, bounds = anything) => intern(`leaf ${name}`, dims, bounds, { kind: 'leaf', name }),
    dimension: (name) => intern(`dim ${name}`, 0, [1, Infinity], { kind: 'dimension', name }),
    product: (given) => {
      const powers = new Map<Expression, number>()
      for (const [factor, exponent] of given) {
        // sign(x)² is 1 wherever it is not 0; there the product's other factors are 0 too.
        const odd = factor.kind === 'function' && factor.name === 'sign'
        const kept = odd ? Math.abs(exponent % 2) : exponent
        if (kept !== 0) powers.set(factor, kept)
      }
      if (powers.size === 0) return null
      const sorted = [...powers].sort(([a], [b]) => a.id - b.id)
      const [first, exponent] = sorted[0]!
      if (sorted.length === 1 && exponent === 1) return first
      const key = `prod ${sorted.map(([f, p]) => `${f.id}^${p}`).join('*')}`
      let dims = 0
      let bounds: Interval = [1, 1]
      for (const [factor, p] of sorted) {
        dims |= factor.dims
        bounds = times(bounds, power(factor, p))
      }
      return intern(key, dims, bounds, { kind: 'product', powers: new Map(sorted) })
    },
    sum: (value) => intern(`sum ${keyOf(value)}`, dimsOf(value), boundsOf(value), { kind: 'sum', value }),
    apply: (name, inputs, options = {}) => {
      const dims = options.dims ?? inputs.reduce((all, input) => all | input.dims, 0)
      const grouped = options.grouped ?? false
      const key = `${name}${grouped ? ' grouped' : ''} ${dims} ${inputs.map((i) => i.id).join(',')}`
      return intern(key, dims, functionBounds(name, inputs), { kind: 'function', name, inputs, grouped })
    },
  }
}

const functionBounds = (name: FunctionName, inputs: readonly Expression[]): Interval => {
  const { lo, hi } = inputs[0]!
  const b = inputs[1] ?? inputs[0]!
  switch (name) {
    case 'relu':
      return [Math.max(0, lo), Math.max(0, hi)]
    case 'sigmoid':
      return [0, 1]
    case 'tanh':
      return [-1, 1]
    case 'exp':
      return [Math.exp(lo), Math.exp(hi)]
    case 'log':
    case 'sqrt': {
      const f = name === 'log' ? Math.log : Math.sqrt
      return [f(Math.max(0, lo)), f(Math.max(0, hi))]
    }
    case 'abs':
      return [lo > 0 ? lo : hi < 0 ? -hi : 0, Math.max(Math.abs(lo), Math.abs(hi))]
    case 'sign':
      return [lo >= 0 ? 0 : -1, hi <= 0 ? 0 : 1]
    case 'max':
      return [Math.max(lo, b.lo), Math.max(hi, b.hi)]
    case 'variance':
      return [0, Infinity]
    case 'sum':
    case 'groupSum':
      return [lo >= 0 ? 0 : -Infinity, hi <= 0 ? 0 : Infinity]
    default:
      return [-Infinity, Infinity]
  }
}
