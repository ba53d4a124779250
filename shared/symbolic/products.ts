import type { Expression, Value } from './expression.ts'

/** How a product is multiplied out. Equal parts of different products are the same object, and so computed once. */
export type Multiplication =
  | { readonly op: 'factor'; readonly of: Expression }
  | { readonly op: 'mul' | 'div'; readonly a: Multiplication; readonly b: Multiplication }
  | { readonly op: 'square' | 'reciprocal'; readonly a: Multiplication }

/** A factor (sign 1) or divisor (sign −1) of a product. */
type Token = { readonly part: Multiplication; readonly sign: 1 | -1; readonly id: number }

/**
 * Plans how the products below `roots` are multiplied out: again and again, the pair of factors that most products
 * have in common becomes one part of its own (greedy common sub-expressions).
 */
export const planProducts = (roots: readonly Value[]): ReadonlyMap<Expression, Multiplication> => {
  const tokens = new Map<string, Token>()
  const token = (key: string, part: Multiplication, sign: 1 | -1): Token => {
    const found = tokens.get(key)
    if (found) return found
    const made = { part, sign, id: tokens.size }
    tokens.set(key, made)
    return made
  }
  const factors = new Map<Expression, Multiplication>()
  const factor = (of: Expression): Multiplication => {
    const part = factors.get(of) ?? ({ op: 'factor', of } as const)
    factors.set(of, part)
    return part
  }

  const products = new Map<Expression, Token[]>()
  for (const expression of reachable(roots)) {
    if (expression.kind !== 'product') continue
    const list = [...expression.powers].flatMap(([of, exponent]) => {
      const sign = exponent > 0 ? 1 : -1
      const one = token(`${of.id}/${sign}`, factor(of), sign)
      return Array.from({ length: Math.abs(exponent) }, () => one)
    })
    // Small factors first: what they make is small too.
    products.set(
      expression,
      list.sort((a, b) => sizeOf(a.part) - sizeOf(b.part) || a.id - b.id),
    )
  }

  const joined = (a: Token, b: Token): Token => {
    const key = `${a.id}&${b.id}`
    if (a === b) return token(key, { op: 'square', a: a.part }, a.sign)
    if (a.sign === b.sign) return token(key, { op: 'mul', a: a.part, b: b.part }, a.sign)
    const [top, bottom] = a.sign > 0 ? [a, b] : [b, a]
    return token(key, { op: 'div', a: top.part, b: bottom.part }, 1)
  }

  for (;;) {
    const best = mostCommonPair(products)
    if (!best) break
    const whole = joined(...best)
    for (const [product, list] of products) products.set(product, replaced(list, best, whole))
  }
  const side = (list: readonly Token[], sign: 1 | -1): Token | null => {
    const [first, ...rest] = list.filter((t) => t.sign === sign)
    return first ? rest.reduce(joined, first) : null
  }
  return new Map(
    [...products].map(([product, list]) => {
      const top = side(list, 1)
      const bottom = side(list, -1)
      if (!bottom) return [product, top!.part]
      if (!top)
        return [product, token(`reciprocal ${bottom.id}`, { op: 'reciprocal', a: bottom.part }, 1).part]
      return [product, joined(top, bottom).part]
    }),
  )
}

/** The pair (lower id first) that occurs in most products, in at least two; ties go to the smaller and older. */
const mostCommonPair = (products: ReadonlyMap<Expression, readonly Token[]>): [Token, Token] | null => {
  const counts = new Map<string, { pair: [Token, Token]; count: number }>()
  for (const list of products.values()) {
    const seen = new Set<string>()
    for (let i = 0; i < list.length; i++)
      for (let j = i + 1; j < list.length; j++) {
        const pair = [list[i]!, list[j]!].sort((a, b) => a.id - b.id) as [Token, Token]
        const key = `${pair[0].id}&${pair[1].id}`
        if (seen.has(key)) continue
        seen.add(key)
        const entry = counts.get(key) ?? { pair, count: 0 }
        entry.count++
        counts.set(key, entry)
      }
  }
  let best: { pair: [Token, Token]; count: number } | null = null
  for (const entry of counts.values()) if (entry.count > (best?.count ?? 1)) best = entry
  return best?.pair ?? null
}

const replaced = (list: readonly Token[], [a, b]: [Token, Token], whole: Token): Token[] => {
  let rest = [...list]
  for (;;) {
    const i = rest.indexOf(a)
    const j = rest.indexOf(b, a === b ? i + 1 : 0)
    if (i < 0 || j < 0) return rest
    rest = [...rest.filter((_, at) => at !== i && at !== j), whole]
  }
}

const sizeOf = (part: Multiplication): number =>
  part.op === 'factor' ? part.of.dims : Math.max(sizeOf(part.a), 'b' in part ? sizeOf(part.b) : 0)

/** All expressions that the values are made of, oldest first. */
const reachable = (roots: readonly Value[]): Expression[] => {
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
