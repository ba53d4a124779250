import type { Token } from './products.ts'

/** Two factors (lower id first, or one twice) and the products, by position, that have both. */
type Pair = { readonly a: Token; readonly b: Token; readonly products: Set<number> }

/**
 * The pairs of factors in lists of factors, one list a product. Only the lists that a join changes are counted anew: with
 * thousands of products counting all of them each time would take minutes.
 */
export const createPairs = (lists: (readonly Token[])[]) => {
  const pairs = new Map<number, Pair>()
  /** Pairs by how many products have them, from two on. */
  const common: Set<Pair>[] = []

  const pairOf = (a: Token, b: Token): Pair => {
    const [first, second] = a.id < b.id ? [a, b] : [b, a]
    const key = first.id * 2 ** 26 + second.id
    const pair = pairs.get(key) ?? { a: first, b: second, products: new Set() }
    pairs.set(key, pair)
    return pair
  }
  /** The pairs in a list, or those of them that have one of `having`. */
  const pairsOf = (list: readonly Token[], having?: readonly Token[]): Set<Pair> => {
    const found = new Set<Pair>()
    for (const [i, a] of list.entries()) {
      const every = !having || having.includes(a)
      for (let j = i + 1; j < list.length; j++)
        if (every || having.includes(list[j]!)) found.add(pairOf(a, list[j]!))
    }
    return found
  }
  const change = (pair: Pair, by: (products: Set<number>) => unknown): void => {
    common[pair.products.size]?.delete(pair)
    by(pair.products)
    const { size } = pair.products
    if (size > 1) (common[size] ??= new Set()).add(pair)
  }
  lists.forEach((list, i) => {
    for (const pair of pairsOf(list)) change(pair, (products) => products.add(i))
  })

  /** The pair that most products have, at least two; ties go to the oldest product's, and there to the first. */
  const mostCommon = (): Pair | null => {
    while (common.length > 0 && !common.at(-1)?.size) common.pop()
    const best = common.at(-1)
    if (!best) return null
    let oldest = lists.length
    for (const { products } of best) oldest = Math.min(oldest, products.values().next().value!)
    for (const pair of pairsOf(lists[oldest]!)) if (best.has(pair)) return pair
    return null
  }

  /** Puts `whole` in the place of the pair in every list. */
  const join = (pair: Pair, whole: Token): void => {
    const having = [pair.a, pair.b, whole]
    for (const i of [...pair.products]) {
      const old = pairsOf(lists[i]!, having)
      lists[i] = replaced(lists[i]!, pair, whole)
      const now = pairsOf(lists[i], having)
      for (const gone of old) if (!now.has(gone)) change(gone, (products) => products.delete(i))
      for (const made of now) if (!old.has(made)) change(made, (products) => products.add(i))
    }
  }

  return { mostCommon, join }
}

const replaced = (list: readonly Token[], { a, b }: Pair, whole: Token): readonly Token[] => {
  let rest = list
  for (;;) {
    const i = rest.indexOf(a)
    const j = rest.indexOf(b, a === b ? i + 1 : 0)
    if (i < 0 || j < 0) return rest
    rest = [...rest.filter((_, at) => at !== i && at !== j), whole]
  }
}
