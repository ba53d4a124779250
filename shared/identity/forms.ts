/** Sums and products of terms, taken apart and put together again in one order. */
import { EPSILON, type OpName } from '../ops.ts'
import { byText, constantOf, type Term } from './term.ts'

/** Builds a term of simplified operands. */
export type Build = (op: OpName | 'zero', ...inputs: Term[]) => Term

export const is = (term: Term | undefined, op: OpName): boolean => term?.op === op
export const isValue = (term: Term, value: number): boolean => constantOf(term) === value
/** Whether the guard of a division leaves the term as it is. */
const isAwayFromZero = ({ facts: { lo, hi } }: Term): boolean => lo >= EPSILON || hi <= -EPSILON

/**
 * Factors of the longest product and addends of the longest sum that are taken apart. Each node doubles them at most:
 * layers from outside have up to 64. What is longer stays whole, so that one formula may have two forms; values tell then.
 */
const MOST_PARTS = 128

/** How many parts a term would be taken apart into, each term counted once, however often it is used. */
const counted = (partsOf: (term: Term, of: (input: Term) => number) => number) => {
  const known = new WeakMap<Term, number>()
  const count = (term: Term): number => {
    let parts = known.get(term)
    if (parts === undefined) known.set(term, (parts = partsOf(term, count)))
    return parts
  }
  return count
}
const factorCount = counted(({ op, inputs: [a, b] }, of) => {
  if (op === 'neg') return of(a!)
  if (op === 'square') return 2 * of(a!)
  if (op === 'mul') return of(a!) + of(b!)
  return op === 'div' ? of(a!) + 1 : 1
})
const addendCount = counted(({ op, inputs: [a, b] }, of) =>
  op === 'neg' ? of(a!) : op === 'add' ? of(a!) + of(b!) : 1,
)

/** Removes one `item`; whether it was there. */
const take = (items: Term[], item: Term): boolean => {
  const at = items.indexOf(item)
  if (at >= 0) items.splice(at, 1)
  return at >= 0
}

/** A product as a sign, factors and denominators (each under its own guard). */
export type Product = { sign: 1 | -1; readonly factors: Term[]; readonly denominators: Term[] }
export const productOf = (term: Term): Product => {
  if (factorCount(term) > MOST_PARTS) return { sign: 1, factors: [term], denominators: [] }
  const [a, b] = term.inputs
  if (is(term, 'neg')) {
    const inner = productOf(a!)
    return { ...inner, sign: inner.sign === 1 ? -1 : 1 }
  }
  if (is(term, 'square')) {
    const { factors, denominators } = productOf(a!)
    return { sign: 1, factors: [...factors, ...factors], denominators: [...denominators, ...denominators] }
  }
  if (is(term, 'mul')) {
    const [left, right] = [productOf(a!), productOf(b!)]
    const factors = [...left.factors, ...right.factors]
    return {
      sign: left.sign === right.sign ? 1 : -1,
      factors,
      denominators: [...left.denominators, ...right.denominators],
    }
  }
  if (is(term, 'div')) {
    const inner = productOf(a!)
    // At 0 a guard counts as positive: a sign leaves the denominator only where that is never reached.
    const flips = is(b, 'neg') && isAwayFromZero(b!)
    const sign = flips ? (-inner.sign as 1 | -1) : inner.sign
    return { sign, factors: inner.factors, denominators: [...inner.denominators, flips ? b!.inputs[0]! : b!] }
  }
  return { sign: 1, factors: [term], denominators: [] }
}

/** a·a·b / c in one order, squares as such. */
export const fromProduct = ({ sign, factors, denominators }: Product, build: Build): Term => {
  const counts = new Map<Term, number>()
  for (const factor of factors) counts.set(factor, (counts.get(factor) ?? 0) + 1)
  const parts = [...counts].flatMap(([factor, count]) => [
    ...Array.from({ length: Math.floor(count / 2) }, () => build('square', factor)),
    ...(count % 2 ? [factor] : []),
  ])
  const [first = build('exp', build('zero')), ...rest] = parts.sort(byText)
  const numerator = rest.reduce((all, part) => build('mul', all, part), first)
  const quotient = [...denominators].sort(byText).reduce((all, by) => build('div', all, by), numerator)
  return sign === 1 ? quotient : build('neg', quotient)
}

export const products: (term: Term, build: Build) => Term | null = (term, build) => {
  if (!is(term, 'mul') && !is(term, 'div') && !is(term, 'square') && !is(term, 'neg')) return null
  if (factorCount(term) > MOST_PARTS) return null
  const { sign, factors, denominators } = productOf(term)
  if (factors.some((factor) => isValue(factor, 0))) return build('zero')
  const kept = factors.filter((factor) => !isValue(factor, 1))
  const below = denominators.filter((by) => !isValue(by, 1) && !(isAwayFromZero(by) && take(kept, by)))
  return fromProduct({ sign, factors: kept, denominators: below }, build)
}

/** A sum as what is added and what is taken away. */
export const addendsOf = (term: Term): { readonly plus: Term[]; readonly minus: Term[] } => {
  if (addendCount(term) > MOST_PARTS) return { plus: [term], minus: [] }
  const [a, b] = term.inputs
  if (is(term, 'neg')) {
    const { plus, minus } = addendsOf(a!)
    return { plus: minus, minus: plus }
  }
  if (!is(term, 'add')) return { plus: [term], minus: [] }
  const [left, right] = [addendsOf(a!), addendsOf(b!)]
  return { plus: [...left.plus, ...right.plus], minus: [...left.minus, ...right.minus] }
}
export const fromAddends = (plus: readonly Term[], minus: readonly Term[], build: Build): Term => {
  const total = (terms: readonly Term[]): Term | null =>
    terms.length === 0 ? null : [...terms].sort(byText).reduce((all, part) => build('add', all, part))
  const [up, down] = [total(plus), total(minus)]
  if (!down) return up ?? build('zero')
  return up ? build('add', up, build('neg', down)) : build('neg', down)
}

export const sums: (term: Term, build: Build) => Term | null = (term, build) => {
  const difference = is(term, 'neg') && is(term.inputs[0], 'add')
  if (!is(term, 'add') && !difference) return null
  if (addendCount(term) > MOST_PARTS) return null
  const { plus, minus } = addendsOf(term)
  const left = minus.filter((part) => !isValue(part, 0) && !take(plus, part))
  const kept = plus.filter((part) => !isValue(part, 0))
  return fromAddends(kept, left, build)
}
