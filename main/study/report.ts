/** A study as CSV, as text, and as one page that needs nothing else. */
import { pText } from '../../shared/significance.ts'
import { quantile } from '../../shared/statistics.ts'
import { chartOf, escaped } from './chart.ts'
import type { Results, Run, Test } from './results.ts'

/** A row for each training: what it was, and the best found layer's score after it. */
export const csvOf = ({ plan, runs }: Results): string =>
  [
    'arm,seed,search,trained,seconds,best',
    ...runs.flatMap(({ arm, seed, search, points }) =>
      points.map(({ trained, seconds, best }) =>
        [
          `"${plan.arms[arm]!.name.replaceAll('"', '""')}"`,
          seed,
          search,
          trained,
          seconds.toFixed(2),
          best ?? '',
        ].join(','),
      ),
    ),
    '',
  ].join('\n')

const points = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`

const middleText = (values: readonly number[], text: (value: number) => string): string =>
  values.length === 0
    ? '-'
    : `${text(quantile(values, 0.5))} (${text(quantile(values, 0.25))} to ${text(quantile(values, 0.75))})`

export const HEAD = ['', 'seeds', 'best, %', 'trainings to pass the baseline', 'seconds of work']

/** A row for each arm: medians, and quartiles in brackets. */
export const rowsOf = ({ plan, runs }: Results): string[][] =>
  plan.arms.map(({ name }, arm) => {
    const own = runs.filter((run) => run.arm === arm)
    const last = (run: Run) => run.points.at(-1)
    const passed = own.flatMap((run) => run.passed ?? [])
    return [
      name,
      `${own.length}`,
      middleText(
        own.map((run) => last(run)?.best ?? 0),
        (value) => (100 * value).toFixed(1),
      ),
      passed.length === 0
        ? 'never'
        : `${middleText(passed, (n) => n.toFixed(0))}, ${passed.length} of ${own.length}`,
      middleText(
        own.map((run) => last(run)?.seconds ?? 0),
        (value) => value.toFixed(0),
      ),
    ]
  })

export const testText = ({ plan }: Results, { arm, at, pairs, difference, interval, p }: Test): string => {
  const range = interval ? ` [${points(interval.low)}, ${points(interval.high)}]` : ''
  return (
    `${plan.arms[arm]!.name} against ${plan.arms[0]!.name}, ${at}: ${points(difference)} points${range}` +
    (p === null ? ', too few seeds to tell' : `, p ${pText(p)} (paired t-test over ${pairs} seeds)`)
  )
}

export const pageOf = (results: Results, setting: string): string => {
  const { plan, tests } = results
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(plan.title)}</title>
<style>body{font:15px/1.5 sans-serif;max-width:720px;margin:32px auto;padding:0 16px}td,th{padding:4px 12px 4px 0;text-align:left}svg{width:100%}</style>
<h1>${escaped(plan.title)}</h1>
<p>${escaped(setting)}</p>
<table>${cells('th', HEAD)}${rowsOf(results)
    .map((row) => cells('td', row))
    .join('')}</table>
<p>Scores are of found layers, on validation images, one seed a training: medians over the searches' seeds, quartiles in brackets.</p>
<ul>${tests.map((test) => `<li>${escaped(testText(results, test))}</li>`).join('')}</ul>
${(['trained', 'seconds'] as const).map((by) => chartOf(results, by)).join('\n')}
${plan.paper ? `<h2>In the paper</h2><p>${escaped(plan.paper)}</p>` : ''}
</html>
`
}
