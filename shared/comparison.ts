/**
 * A promoted layer against its baselines. Means are over the seeds whose run finished; runs that diverged, collapsed
 * or failed are counted beside them. The spread is the sample standard deviation over seeds (n − 1). A difference of
 * means is "within noise" when it is no larger than the pooled spread √(((n₁−1)s₁² + (n₂−1)s₂²) / (n₁+n₂−2)); with one
 * seed on either side there is no spread to tell by, and the verdict is open.
 */
import { mean } from './pareto.ts'
import type { Measure, Measures, StoredRun } from './transfer/records.ts'

/** `spread` null with fewer than two values. */
export type Sample = {
  readonly mean: number
  readonly spread: number | null
  readonly values: readonly number[]
}
/** Of the promoted layer against a baseline: better or worse by more than the noise. */
export type Verdict = 'better' | 'worse' | 'noise' | 'open'
/** The layer's mean less the baseline's, in the measure's unit. */
export type Difference = {
  readonly difference: number
  readonly pooled: number | null
  readonly verdict: Verdict
}
export type ComparedLayer = {
  readonly fingerprint: string
  readonly label: string
  readonly role: 'layer' | 'baseline'
}
export type ComparisonRow = ComparedLayer & {
  /** Runs by how they ended; `left` have not. */
  readonly runs: Readonly<Record<'finished' | 'diverged' | 'collapsed' | 'failed' | 'left', number>>
  /** By measure; absent where no finished run has it. */
  readonly measures: Readonly<Record<string, Sample>>
  /** The promoted layer against this baseline, by measure; empty in the layer's own row. */
  readonly against: Readonly<Record<string, Difference>>
}

/** Rows in the order of `layers`, the promoted one being the first. */
export const compare = (
  layers: readonly ComparedLayer[],
  runs: readonly Pick<StoredRun, 'fingerprint' | 'state' | 'result'>[],
  measures: Readonly<Record<string, Measure>>,
): ComparisonRow[] => {
  const rows = layers.map((layer) => {
    const own = runs.filter(({ fingerprint }) => fingerprint === layer.fingerprint)
    return { layer, own, samples: samplesOf(own, Object.keys(measures)) }
  })
  return rows.map(({ layer, own, samples }) => ({
    ...layer,
    runs: countsOf(own),
    measures: samples,
    against: layer.role === 'baseline' ? differences(rows[0]!.samples, samples, measures) : {},
  }))
}

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
  runs: readonly Pick<StoredRun, 'result'>[],
  names: readonly string[],
): Record<string, Sample> => {
  const finished = runs.flatMap(({ result }) => (result?.outcome === 'finished' ? [result.measures] : []))
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = finished.flatMap((measures) => measures[name] ?? [])
      return values.length > 0 ? [[name, sampleOf(values)]] : []
    }),
  )
}

export const sampleOf = (values: readonly number[]): Sample => {
  const middle = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return { mean: middle, spread: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null, values }
}

const countsOf = (runs: readonly Pick<StoredRun, 'state' | 'result'>[]): ComparisonRow['runs'] => {
  const counts = { finished: 0, diverged: 0, collapsed: 0, failed: 0, left: 0 }
  for (const { state, result } of runs)
    counts[state === 'failed' ? 'failed' : state === 'done' && result ? result.outcome : 'left'] += 1
  return counts
}

const differences = (
  layer: Readonly<Record<string, Sample>>,
  baseline: Readonly<Record<string, Sample>>,
  measures: Readonly<Record<string, Measure>>,
): Record<string, Difference> =>
  Object.fromEntries(
    Object.entries(measures).flatMap(([name, { better }]) => {
      const [a, b] = [layer[name], baseline[name]]
      return a && b ? [[name, differenceOf(a, b, better)]] : []
    }),
  )

export const differenceOf = (layer: Sample, baseline: Sample, better: Measure['better']): Difference => {
  const difference = layer.mean - baseline.mean
  const pooled = pooledSpread(layer, baseline)
  const good = better === 'higher' ? difference > 0 : difference < 0
  const verdict =
    pooled === null ? 'open' : Math.abs(difference) <= pooled ? 'noise' : good ? 'better' : 'worse'
  return { difference, pooled, verdict }
}

const pooledSpread = (a: Sample, b: Sample): number | null => {
  if (a.spread === null || b.spread === null) return null
  const [freedomA, freedomB] = [a.values.length - 1, b.values.length - 1]
  return Math.sqrt((freedomA * a.spread ** 2 + freedomB * b.spread ** 2) / (freedomA + freedomB))
}
