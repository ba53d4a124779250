/** How the best layer that a search found stands against the known ones trained beside it, at the same budget. */
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
  /** Training steps that both were given. */
  readonly steps: number
  /** The best known layer at that budget, and how far the layer is ahead of it (0..1; below 0: behind). */
  readonly against: { readonly name: string; readonly lead: number } | null
  /**
   * How far two equal layers are apart by chance, at least: twice the standard error of a difference that comes from the
   * validation images (binomial; networks see the same images, so that more networks make it no smaller) and, where it
   * was measured, from the seeds.
   */
  readonly noise: number
  /** Standard deviation between seeds at this budget (0..1); null: nobody measured it, it comes on top of the noise. */
  readonly seedSpread: number | null
  /** Validation images that both were measured on. */
  readonly images: number
}

export const standing = (
  summary: Pick<SearchSummary, 'best' | 'rival' | 'search' | 'seedSpread'>,
): Standing | null => {
  const { best, rival, seedSpread } = summary
  if (!best) return null
  const { data, training, evolution } = summary.search.config
  return {
    number: best.number,
    average: best.average,
    steps: best.purpose === 'score' ? training.steps : evolution.rerank.steps,
    against: rival && { name: rival.name, lead: best.average - rival.average },
    noise: noiseOf(best.average, rival?.average ?? best.average, data.validationImages, seedSpread),
    seedSpread,
    images: data.validationImages,
  }
}

/**
 * How far two equal layers are apart by chance: twice the standard error of the difference of two accuracies on so many
 * validation images (binomial), and of what another seed changes in each (`seedSpread`, a standard deviation), where known.
 */
export const noiseOf = (a: number, b: number, images: number, seedSpread: number | null = null): number =>
  2 * Math.sqrt((a * (1 - a) + b * (1 - b)) / images + 2 * (seedSpread ?? 0) ** 2)

export type Verdict = 'ahead' | 'behind' | 'within noise'

export const verdict = ({ against, noise }: Standing): Verdict => {
  const lead = against?.lead ?? 0
  return Math.abs(lead) <= noise ? 'within noise' : lead > 0 ? 'ahead' : 'behind'
}
