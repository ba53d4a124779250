/**
 * A promoted layer against its baselines. Runs with one seed saw the same batches in the same order, so that layers are
 * compared seed by seed: by the mean of the differences of the seeds that both finished, with its 95 % interval, and a
 * paired t-test. Who tries many layers finds one that looks better by chance: p is corrected (Holm 1979) for all layers
 * that were tried under the same protocol. Better or worse is said below the level alone; anything else is within noise.
 * Runs that diverged, collapsed or failed are counted beside the means.
 */
import { mean } from './pareto.ts'
import type { ComparedLayer, ComparisonRow, Difference, Sample, Verdict } from './records/comparison.ts'
import { LEVEL } from './significance.ts'
import { deviation, holm, intervalOf, pairedP } from './statistics.ts'
import type { Measure, Measures, StoredRun } from './transfer/records.ts'

export type { ComparedLayer, ComparisonRow, Difference, Sample, Verdict } from './records/comparison.ts'

/** Rows in the order of `layers`, the promoted one being the first. */
export const compare = (
  layers: readonly ComparedLayer[],
  runs: readonly Pick<StoredRun, 'fingerprint' | 'seed' | 'state' | 'result'>[],
  measures: Readonly<Record<string, Measure>>,
): ComparisonRow[] => {
  const rows = layers.map((layer) => {
    const own = runs.filter(({ fingerprint }) => fingerprint === layer.fingerprint)
    return { layer, counts: countsOf(own), samples: samplesOf(own, Object.keys(measures)) }
  })
  const [first] = rows
  return rows.map(({ layer, counts, samples }) => ({
    ...layer,
    runs: counts,
    measures: samples,
    against:
      layer.role === 'baseline'
        ? differences(first!.samples, samples, measures, lost(first!.counts) > lost(counts))
        : {},
  }))
}

/** The verdicts, corrected for the comparisons of other layers under the same protocol. */
export const correct = (
  rows: readonly ComparisonRow[],
  others: readonly (readonly ComparisonRow[])[],
  measures: Readonly<Record<string, Measure>>,
): ComparisonRow[] =>
  rows.map((row) => ({
    ...row,
    against: Object.fromEntries(
      Object.entries(row.against).map(([name, own]) => {
        const family = others.flatMap((other) => {
          const baseline = other.find(({ fingerprint }) => fingerprint === row.fingerprint)
          return baseline?.against[name]?.p ?? []
        })
        return [name, judged(own, family, measures[name]!.better, lost(rows[0]!.runs) > lost(row.runs))]
      }),
    ),
  }))

/** What real data comes to, by measure, as the first run that tells measured it: the same for every layer and seed. */
export const yardstick = (
  runs: readonly Pick<StoredRun, 'result'>[],
  measures: Readonly<Record<string, Measure>>,
): Measures =>
  Object.fromEntries(
    Object.entries(measures).flatMap(([name, { real }]) => {
      const value = real && runs.find(({ result }) => result && real.name in result.measures)
      return value ? [[name, value.result!.measures[real.name]!]] : []
    }),
  )

const samplesOf = (
  runs: readonly Pick<StoredRun, 'seed' | 'result'>[],
  names: readonly string[],
): Record<string, Sample> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const measured = runs.flatMap(({ seed, result }) => {
        const value = result?.outcome === 'finished' ? result.measures[name] : undefined
        return value === undefined ? [] : [{ seed, value }]
      })
      return measured.length > 0 ? [[name, sampleOf(measured)]] : []
    }),
  )

export const sampleOf = (measured: readonly { readonly seed: number; readonly value: number }[]): Sample => {
  const values = measured.map(({ value }) => value)
  return {
    mean: mean(values),
    spread: deviation(values),
    interval: intervalOf(values),
    values,
    seeds: measured.map(({ seed }) => seed),
  }
}

const countsOf = (runs: readonly Pick<StoredRun, 'state' | 'result'>[]): ComparisonRow['runs'] => {
  const counts = { finished: 0, diverged: 0, collapsed: 0, failed: 0, left: 0 }
  for (const { state, result } of runs)
    counts[state === 'done' ? (result?.outcome ?? 'failed') : state === 'failed' ? 'failed' : 'left'] += 1
  return counts
}

/** Runs that the layer spoilt; those that failed are the machine's. */
const lost = ({ diverged, collapsed }: ComparisonRow['runs']): number => diverged + collapsed

const differences = (
  layer: Readonly<Record<string, Sample>>,
  baseline: Readonly<Record<string, Sample>>,
  measures: Readonly<Record<string, Measure>>,
  lostMore: boolean,
): Record<string, Difference> =>
  Object.fromEntries(
    Object.entries(measures).flatMap(([name, { better }]) => {
      const [a, b] = [layer[name], baseline[name]]
      const found = a && b ? differenceOf(a, b) : null
      return found ? [[name, judged(found, [], better, lostMore)]] : []
    }),
  )

type Unjudged = Pick<Difference, 'difference' | 'interval' | 'pairs' | 'p'>

/** Null where no seed is in both. */
export const differenceOf = (layer: Sample, baseline: Sample): Unjudged | null => {
  const differences = layer.seeds.flatMap((seed, i) => {
    const other = baseline.values[baseline.seeds.indexOf(seed)]
    return other === undefined ? [] : [layer.values[i]! - other]
  })
  if (differences.length === 0) return null
  return {
    difference: mean(differences),
    interval: intervalOf(differences),
    pairs: differences.length,
    p: pairedP(differences),
  }
}

/** `others`: the p of other layers' differences. `lostMore`: the layer lost more runs than the baseline. */
export const judged = (
  { difference, interval, pairs, p }: Unjudged,
  others: readonly number[],
  better: Measure['better'],
  lostMore = false,
): Difference => {
  const tried = 1 + others.length
  const corrected = p === null ? null : holm([p, ...others])[0]!
  const ahead = better === 'higher' ? difference > 0 : difference < 0
  const verdict = (): Verdict => {
    if (corrected === null) return 'open'
    if (corrected >= LEVEL) return 'noise'
    return ahead ? (lostMore ? 'open' : 'better') : 'worse'
  }
  return { difference, interval, pairs, p, corrected, tried, verdict: verdict() }
}
