/** Learning curves: trainings of one layer to lines in a chart. */
import type { Evaluation } from '../../shared/records.ts'
import { lineChart, plotOf, type Line, type LineChart, type Point, type Size } from './lines.ts'
import { accuracyDomain, place, robustDomain } from './scale.ts'

export type Measure = 'loss' | 'accuracy'
export type Curve = Line & { readonly evaluation: Evaluation }
export type CurveChart = LineChart & {
  readonly curves: readonly Curve[]
  /** The quality limit, from the start to the step at which it is asked. */
  readonly limit: { readonly x0: number; readonly x1: number; readonly y: number } | null
}

export type Limit = { readonly steps: number; readonly accuracy: number }

/** Measured points only; of the loss also those that were not finite, as null. */
const pointsOf = ({ curve }: Evaluation, measure: Measure): Point[] =>
  curve.flatMap((point) =>
    measure === 'accuracy' && point.accuracy === null ? [] : [{ step: point.step, value: point[measure] }],
  )

export const curveChart = (
  evaluations: readonly Evaluation[],
  measure: Measure,
  size: Size,
  limit: Limit | null = null,
): CurveChart => {
  const all = evaluations.map((evaluation) => pointsOf(evaluation, measure))
  const values = all.flat().flatMap(({ value }) => (value === null ? [] : [value]))
  const shownLimit = measure === 'accuracy' ? limit : null
  const domain =
    measure === 'accuracy'
      ? accuracyDomain(values, shownLimit ? [shownLimit.accuracy, 0] : [0])
      : robustDomain(values)
  const last = Math.max(1, ...evaluations.flatMap(({ curve }) => curve.map(({ step }) => step)))
  const chart = lineChart(all, size, domain, last)
  const plot = plotOf(size)
  return {
    ...chart,
    curves: chart.curves.map((line) => ({ ...line, evaluation: evaluations[line.index]! })),
    limit: shownLimit && {
      x0: plot.x,
      x1: plot.x + (Math.min(last, shownLimit.steps) / last) * plot.width,
      y: place(shownLimit.accuracy, domain, [plot.y + plot.height, plot.y])!.at,
    },
  }
}
