/** How a search's best layer stands against the known ones trained beside it. */
import type { SearchSummary } from '../shared/contract.ts'
import { mean } from '../shared/pareto.ts'

export type Baseline = {
  readonly name: string
  readonly number: number
  readonly scores: readonly number[] | null
  /** Mean over the architectures, null while it trains or where it diverged. */
  readonly average: number | null
}

/** Best first; those without a score last, in the order of the settings. */
export const ranked = (summary: Pick<SearchSummary, 'baselines'>): Baseline[] =>
  summary.baselines
    .map((baseline) => ({ ...baseline, average: baseline.scores ? mean(baseline.scores) : null }))
    .sort((a, b) => (b.average ?? -1) - (a.average ?? -1))

export type Standing = {
  readonly number: number
  readonly average: number
  /** The best baseline, and how far the layer is ahead of it (0..1; below 0: behind). */
  readonly against: { readonly name: string; readonly lead: number } | null
}

export const standing = (summary: Pick<SearchSummary, 'best' | 'baselines'>): Standing | null => {
  const { best } = summary
  if (!best) return null
  const first = ranked(summary)[0]
  const against =
    first && first.average !== null ? { name: first.name, lead: best.average - first.average } : null
  return { ...best, against }
}
