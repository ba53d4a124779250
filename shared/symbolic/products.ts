import type { Expression, Value } from './expression.ts'
import { createPairs } from './pairs.ts'

/** How a product is multiplied out. Equal parts of different products are the same object, and so computed once. */
export type Multiplication =
  | { readonly op: 'factor'; readonly of: Expression }
  | { readonly op: 'mul' | 'div'; readonly a: Multiplication; readonly b: Multiplication }
  | { readonly op: 'square' | 'reciprocal'; readonly a: Multiplication }

/** A factor (sign 1) or divisor (sign −1) of a product. */
export type Token = {
  readonly part: Multiplication
  readonly sign: 1 | -1
  readonly id: number
  /** Axes along which it varies. */
  readonly dims: number
}

/**
 * Plans how the products below `roots` are multiplied out: again and again, the pair of factors that most products
 * have in common becomes one part of its own (greedy common sub-expressions).
 */
export const planProducts = (roots: readonly Value[]): ReadonlyMap<Expression, Multiplication> => {
  const tokens = new Map<string, Token>()
  const token = (key: string, part: Multiplication, sign: 1 | -1, dims: number): Token => {
    const found = tokens.get(key)
    if (found) return found
    const made = { part, sign, id: tokens.size, dims }
    tokens.set(key, made)
    return made
  }
  const factors = new Map<Expression, Multiplication>()
  const factor = (of: Expression): Multiplication => {
    const part = factors.get(of) ?? ({ op: 'factor', of } as const)
    factors.set(of, part)
    return part
  }

  const products = reachable(roots).filter((expression) => expression.kind === 'product')
  const lists = products.map(({ powers }) => {
    const list = [...powers].flatMap(([of, exponent]) => {
      const sign = exponent > 0 ? 1 : -1
      const one = token(`${of.id}/${sign}`, factor(of), sign, of.dims)
      return Array.from({ length: Math.abs(exponent) }, () => one)
    })
    // Small factors first: what they make is small too.
    return list.sort((a, b) => a.dims - b.dims || a.id - b.id)
  })

  const joined = (a: Token, b: Token): Token => {
    const key = `${a.id}&${b.id}`
    const dims = Math.max(a.dims, b.dims)
    if (a === b) return token(key, { op: 'square', a: a.part }, a.sign, dims)
    if (a.sign === b.sign) return token(key, { op: 'mul', a: a.part, b: b.part }, a.sign, dims)
    const [top, bottom] = a.sign > 0 ? [a, b] : [b, a]
    return token(key, { op: 'div', a: top.part, b: bottom.part }, 1, dims)
  }

  const pairs = createPairs(lists)
  for (let best = pairs.mostCommon(); best; best = pairs.mostCommon())
    pairs.join(best, joined(best.a, best.b))
  const side = (list: readonly Token[], sign: 1 | -1): Token | null => {
    const [first, ...rest] = list.filter((t) => t.sign === sign)
    return first ? rest.reduce(joined, first) : null
  }
  return new Map(
    products.map((product, i) => {
      const top = side(lists[i]!, 1)
      const bottom = side(lists[i]!, -1)
      if (!bottom) return [product, top!.part]
      if (!top) {
        const reciprocal = { op: 'reciprocal', a: bottom.part } as const
        return [product, token(`reciprocal ${bottom.id}`, reciprocal, 1, bottom.dims).part]
      }
      return [product, joined(top, bottom).part]
    }),
  )
}

/** All expressions that the values are made of, oldest first. */
export const reachable = (roots: readonly Value[]): Expression[] => {
  const found = new Set<Expression>()
  const visitValue = (value: Value): void => {
    for (const [expression, by] of value.terms) {
      visit(expression)
      if (typeof by !== 'number') visitValue(by)
    }
    if (typeof value.rest !== 'number') visitValue(value.rest)
  }
  const visit = (expression: Expression): void => {
    if (found.has(expression)) return
    found.add(expression)
    if (expression.kind === 'product') for (const factor of expression.powers.keys()) visit(factor)
    else if (expression.kind === 'sum') visitValue(expression.value)
    else if (expression.kind === 'function') expression.inputs.forEach(visit)
  }
  roots.forEach(visitValue)
  return [...found].sort((a, b) => a.id - b.id)
}
