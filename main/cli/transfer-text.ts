/** Transfers as the command line shows them. */
import type { ComparisonRow, Difference, Verdict } from '../../shared/comparison.ts'
import { pText } from '../../shared/significance.ts'
import { reportLines } from '../../shared/data.ts'
import { formulaText } from '../../shared/formula.ts'
import { scaledDownOf, TRANSFER_TASKS, type Measure } from '../../shared/transfer.ts'
import type { TransferDetail, TransferSummary } from '../../shared/transfer/contract.ts'
import { waitingText } from '../../shared/transfer/waiting.ts'
import { readable, unreadableOf, type Unreadable } from '../../shared/records/unreadable.ts'
import { count, oneLine, shortened, table, unreadableLine } from './text.ts'

const STATE_LENGTH = 50

/** Measures in rows, layers in columns; then what the differences are worth, and what the figures are of. */
export const transferText = ({ summary }: TransferDetail): string => {
  const { promotion, comparison, real, data } = summary
  const { layer, config, state } = promotion
  const task = TRANSFER_TASKS[config.task]
  const measures = Object.entries<Measure>(task.measures)
  const yardstick = Object.keys(real).length > 0
  const rows = measures.flatMap(([name, measure]) => {
    const cells = comparison.map((row) => cellOf(row, name, measure))
    if (cells.every((cell) => cell === '-')) return []
    return [[labelOf(measure), ...cells, ...(yardstick ? [realCell(real[name], measure)] : [])]]
  })
  const head = ['', ...comparison.map(({ label }) => label), ...(yardstick ? ['(real images)'] : [])]
  const judged = task.judgedBy === 'all' ? measures : measures.slice(0, 1)
  const verdicts = judged.flatMap(([name, measure]) =>
    comparison.flatMap(({ label, against }) =>
      against[name] ? [`${measure.label} against ${label}: ${differenceText(against[name], measure)}`] : [],
    ),
  )
  const lost = comparison.flatMap(lostText)
  return [
    `${oneLine(layer.label)} in ${task.label.toLowerCase()} (${promotion.id}): ${state}`,
    `  ${formulaText(layer.graph)}`,
    '',
    table(head, rows, [...head.keys()].slice(1)),
    ...section('', verdicts),
    ...section('', lost),
    ...section(
      `Mean ± standard deviation over ${count(config.seeds, 'seed')}. Scaled down against the paper:`,
      scaledDownOf(config, data),
    ),
    ...section('Data:', data ? reportLines(data) : []),
  ].join('\n')
}

const section = (head: string, lines: readonly string[]): string[] =>
  lines.length > 0 ? ['', ...(head ? [head] : []), ...lines.map((line) => `  ${line}`)] : []

const labelOf = ({ label, unit }: Measure): string => (unit === 'fraction' ? `${label}, %` : label)
const numberOf = (value: number, { unit }: Measure): string =>
  unit === 'fraction' ? (100 * value).toFixed(1) : value.toFixed(2)

const cellOf = ({ measures }: ComparisonRow, name: string, measure: Measure): string => {
  const sample = measures[name]
  if (!sample) return '-'
  const { mean, spread } = sample
  return spread === null
    ? numberOf(mean, measure)
    : `${numberOf(mean, measure)} ± ${numberOf(spread, measure)}`
}

const realCell = (value: number | undefined, measure: Measure): string =>
  value === undefined ? '' : `(${numberOf(value, measure)})`

const WORDS: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  noise: 'within noise',
  open: 'too few runs to tell',
}

/** "+1.20 [0.31, 2.09], better (p 0.02 of 3 seeds, corrected for 4 layers tried)". */
const differenceText = (
  { difference, interval, pairs, corrected, tried, verdict }: Difference,
  measure: Measure,
): string => {
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${numberOf(Math.abs(value), measure)}`
  const range = interval ? ` [${signed(interval.low)}, ${signed(interval.high)}]` : ''
  const how =
    corrected === null
      ? ''
      : ` (p ${pText(corrected)} of ${count(pairs, 'seed')}${tried > 1 ? `, corrected for ${tried} layers tried` : ''})`
  return `${signed(difference)}${range}, ${WORDS[verdict]}${how}`
}

const lostText = ({ label, runs }: ComparisonRow): string[] =>
  (['diverged', 'collapsed', 'failed'] as const).flatMap((how) =>
    runs[how] > 0 ? [`${label}: ${count(runs[how], 'run')} ${how}, left out of the means`] : [],
  )

export const transferListText = (summaries: readonly (TransferSummary | Unreadable)[]): string => {
  if (summaries.length === 0)
    return 'no transfers yet: npm run cli -- transfer --layer EvoNorm-B0 --task segmentation'
  const rows = readable(summaries).map(({ promotion, runs, waiting }) => [
    promotion.id,
    promotion.layer.label,
    TRANSFER_TASKS[promotion.config.task].label,
    promotion.createdAt.slice(0, 16).replace('T', ' '),
    `${runs.done} of ${runs.queued + runs.running + runs.done + runs.failed}`,
    shortened(
      promotion.failure ?? [promotion.state, ...(waiting ? [waitingText(waiting)] : [])].join(', '),
      STATE_LENGTH,
    ),
  ])
  return [
    ...(rows.length > 0 ? [table(['id', 'layer', 'task', 'made (UTC)', 'runs', 'state'], rows, [4])] : []),
    ...unreadableOf(summaries).map(unreadableLine),
  ].join('\n')
}
