/** The comparison of a layer with its baselines as a table: texts of cells, the best of a column, what is said of a difference. */
import type { ComparisonRow, Difference, Sample } from '../../shared/comparison.ts'
import { pText } from '../../shared/significance.ts'
import { TRANSFER_TASKS, type Measure, type TransferTaskName } from '../../shared/transfer.ts'
import { plural } from '../format.ts'

export type Column = { readonly name: string; readonly label: string; readonly measure: Measure }
/** `title` is the word that its measures' labels have in common, `heading` what stands above it. */
export type MeasureTable = {
  readonly title: string
  readonly heading: string
  readonly columns: readonly Column[]
}

/** A task's measures, as the tables that it asks for. */
export const tablesOf = (task: TransferTaskName): MeasureTable[] => {
  const { measures, tables } = TRANSFER_TASKS[task]
  const all = Object.entries(measures).map(([name, measure]) => ({ name, label: measure.label, measure }))
  if (!tables) return [{ title: '', heading: '', columns: all }]
  return Object.entries(tables).map(([title, heading]) => ({
    title,
    heading,
    columns: all
      .filter(({ label }) => label.startsWith(`${title} `))
      .map((column) => ({ ...column, label: column.label.slice(title.length + 1) })),
  }))
}

const digits = ({ unit }: Measure): number => (unit === 'fraction' ? 1 : 2)
const scaled = (value: number, { unit }: Measure): number => (unit === 'fraction' ? 100 * value : value)

/** A value in its column's unit: percent without the sign, points as they are. */
export const valueText = (value: number, measure: Measure): string => {
  const shown = scaled(value, measure)
  return shown.toFixed(Math.abs(shown) >= 1000 ? 0 : Math.abs(shown) >= 100 ? 1 : digits(measure))
}

/** "41.2 ± 0.8"; the spread only where there is one. */
export const sampleText = ({ mean, spread }: Sample, measure: Measure): string =>
  spread === null ? valueText(mean, measure) : `${valueText(mean, measure)} ± ${valueText(spread, measure)}`

/** "+2.1", "−0.4", "±0.0". */
export const signed = (value: number, measure: Measure): string => {
  const text = valueText(Math.abs(value), measure)
  if (Number(text) === 0) return `±${text}`
  return `${value > 0 ? '+' : '−'}${text}`
}

/** What is said of the layer against a baseline. */
export const verdictText = ({ verdict }: Difference): string =>
  ({ better: 'better', worse: 'worse', noise: 'within noise', open: 'too few runs' })[verdict]

/** "95 % interval +0.3 to +2.1, p 0.03 over 3 seeds, corrected for 4 layers tried". */
export const differenceTitle = (
  { interval, corrected, pairs, tried }: Difference,
  measure: Measure,
): string =>
  interval === null || corrected === null
    ? 'Needs at least two seeds that both layers finished'
    : `95 % interval ${signed(interval.low, measure)} to ${signed(interval.high, measure)}, p ${pText(corrected)} over ` +
      `${plural(pairs, 'seed')}${tried > 1 ? `, corrected for ${tried} layers tried` : ''}`

/** "finished 2 of 3, 1 diverged": how a layer's runs ended. */
export const runsText = ({ runs }: ComparisonRow): string => {
  const all = runs.finished + runs.diverged + runs.collapsed + runs.failed + runs.left
  const ends = (['diverged', 'collapsed', 'failed'] as const).flatMap((end) =>
    runs[end] > 0 ? [`${runs[end]} ${end}`] : [],
  )
  return [`${runs.finished} of ${all}`, ...ends].join(', ')
}

/** Fingerprints of the rows with a column's best mean; more than one where they are equal, none where one is alone. */
export const bestOf = (rows: readonly ComparisonRow[], { name, measure }: Column): ReadonlySet<string> => {
  const means = rows.flatMap(({ measures }) => measures[name]?.mean ?? [])
  if (means.length < 2) return new Set()
  const best = measure.better === 'higher' ? Math.max(...means) : Math.min(...means)
  return new Set(
    rows.filter(({ measures }) => measures[name]?.mean === best).map(({ fingerprint }) => fingerprint),
  )
}

/** The measure that layers are ranked by. */
export const firstMeasure = (task: TransferTaskName): Column => {
  const [name, measure] = Object.entries(TRANSFER_TASKS[task].measures)[0]!
  return { name, label: measure.label, measure }
}

export type Headline = {
  readonly value: string
  /** The best baseline by the first measure, and how the layer stands against it. */
  readonly against: {
    readonly label: string
    readonly text: string
    readonly verdict: Difference['verdict']
  } | null
}

/** A comparison in one line; null while the layer has no figure. */
export const headline = (rows: readonly ComparisonRow[], task: TransferTaskName): Headline | null => {
  const { name, measure } = firstMeasure(task)
  const own = rows[0]?.measures[name]
  if (!own) return null
  const better = measure.better === 'higher' ? 1 : -1
  const best = rows
    .filter(({ role, measures }) => role === 'baseline' && measures[name])
    .sort((a, b) => better * (b.measures[name]!.mean - a.measures[name]!.mean))[0]
  const difference = best?.against[name]
  return {
    value: sampleText(own, measure),
    against:
      best && difference
        ? {
            label: best.label,
            text:
              difference.verdict === 'noise'
                ? `within noise of ${best.label}`
                : `${signed(difference.difference, measure)} to ${best.label}`,
            verdict: difference.verdict,
          }
        : null,
  }
}
