/** The best layers of a search among the known ones trained beside it. */
import type { LineageNode } from '../shared/contract.ts'
import type { Baseline } from './standing.ts'

export type Leader = {
  readonly number: number
  /** A known layer's name, whether it was a baseline or among the candidates; null for a layer that the search found. */
  readonly name: string | null
  /** null: a baseline still to be trained, or one that diverged. */
  readonly average: number | null
}

/** The `count` best candidates and every baseline, best first, those without a score last. */
export const leaders = (
  nodes: readonly LineageNode[],
  baselines: readonly Baseline[],
  count: number,
): Leader[] => {
  const best: (Leader & { readonly average: number })[] = []
  for (const { role, status, number, average, known } of nodes) {
    if (role !== 'candidate' || status !== 'scored' || average === null) continue
    const last = best.at(-1)
    if (best.length === count && last && average <= last.average) continue
    const at = best.findIndex((leader) => leader.average < average)
    best.splice(at < 0 ? best.length : at, 0, { number, name: known, average })
    if (best.length > count) best.pop()
  }
  const known = baselines.map(({ number, name, average }): Leader => ({ number, name, average }))
  return [...best, ...known].sort((a, b) => (b.average ?? -1) - (a.average ?? -1) || a.number - b.number)
}
