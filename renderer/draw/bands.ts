/**
 * The lineage of a long search is mostly branches that died out. Here they are folded: what leads to a survivor, to the
 * best layer or to one that is looked at stays a node; each extinct branch becomes one band with its size and its best.
 */
import type { LineageNode } from '../../shared/contract.ts'

export type Band = {
  /** Number of its first layer. */
  readonly key: number
  /** The layer it branches off; null where whole families are meant. */
  readonly parent: number | null
  /** Numbers of its first and last layer. */
  readonly first: number
  readonly last: number
  readonly count: number
  /** Best mean accuracy among its layers, null without a score. */
  readonly best: number | null
  /** First layers of the branches it stands for. */
  readonly heads: readonly number[]
}
export type Folded = {
  /** Layers that stay nodes, ascending. */
  readonly nodes: readonly LineageNode[]
  /** The largest bands. */
  readonly bands: readonly Band[]
  /** Layers of lesser branches, counted at the layer they branch off. */
  readonly under: ReadonlyMap<number, number>
}
export type FoldOptions = {
  /** Survivors, the best layer and whatever is looked at: they and their ancestors stay. */
  readonly keep: ReadonlySet<number>
  /** Branches that were opened, by their first layers. */
  readonly opened: ReadonlySet<number>
}

/** More bands than this would be lines again; the lesser ones are counted. */
export const MOST_BANDS = 24

export const foldExtinct = (nodes: readonly LineageNode[], { keep, opened }: FoldOptions): Folded => {
  const parents = new Map(nodes.map(({ number, parent }) => [number, parent]))
  const stays = new Set<number>()
  for (const number of keep)
    for (let at: number | null = number; at !== null && parents.has(at) && !stays.has(at);) {
      stays.add(at)
      at = parents.get(at) ?? null
    }
  /** The layer where the band of each folded layer begins, by its number. */
  const heads = new Map<number, number>()
  const bands = new Map<number, { -readonly [K in keyof Band]: Band[K] } & { heads: number[] }>()
  /** The band of what branches off each layer that stays, by its number. */
  const keys = new Map<number, number>()
  const kept: LineageNode[] = []
  for (const node of nodes) {
    const { number, average } = node
    const parent = node.parent !== null && parents.has(node.parent) ? node.parent : null
    const head: number | undefined = parent === null ? undefined : heads.get(parent)
    if (stays.has(number)) {
      kept.push(node)
      continue
    }
    const key = head ?? (parent === null ? undefined : keys.get(parent)) ?? number
    heads.set(number, key)
    if (head === undefined && parent !== null) keys.set(parent, key)
    if (opened.has(key)) {
      kept.push(node)
      continue
    }
    const band = bands.get(key) ?? { key, parent, first: number, last: 0, count: 0, best: null, heads: [] }
    band.last = number
    band.count++
    if (average !== null) band.best = Math.max(average, band.best ?? 0)
    if (head === undefined) band.heads.push(number)
    bands.set(key, band)
  }
  return { nodes: kept, ...largest([...bands.values()]) }
}

/** Lesser branches are counted at the layer they branch off, lesser families are one band. */
const largest = (bands: readonly Band[]): Pick<Folded, 'bands' | 'under'> => {
  const sorted = [...bands].sort((a, b) => b.count - a.count || a.key - b.key)
  const lesser = sorted.slice(MOST_BANDS)
  const under = new Map<number, number>()
  for (const { parent, count } of lesser) if (parent !== null) under.set(parent, count)
  const families = lesser.filter(({ parent }) => parent === null)
  const shown = [...sorted.slice(0, MOST_BANDS), ...(families.length > 0 ? [together(families)] : [])]
  return { bands: shown.sort((a, b) => a.key - b.key), under }
}

const together = (bands: readonly Band[]): Band =>
  bands.reduce((all, band) => ({
    key: Math.min(all.key, band.key),
    parent: null,
    first: Math.min(all.first, band.first),
    last: Math.max(all.last, band.last),
    count: all.count + band.count,
    best: band.best === null ? all.best : Math.max(band.best, all.best ?? 0),
    heads: all.heads.concat(band.heads),
  }))
