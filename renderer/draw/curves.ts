/** Learning curves: trainings of one layer to lines in a chart that a diverged one cannot spoil. */
import { line } from 'd3'
import type { Evaluation } from '../../shared/records.ts'
import { accuracyDomain, place, robustDomain, ticks, type Domain, type Tick } from './scale.ts'
import type { Box } from './scene.ts'

export type Measure = 'loss' | 'accuracy'
export type CurveDot = {
  readonly step: number
  readonly value: number
  readonly x: number
  readonly y: number
}
export type Curve = {
  readonly evaluation: Evaluation
  /** Position among the evaluations. */
  readonly index: number
  readonly path: string
  /** In order of steps; `y` of one beyond the scale lies on the edge. */
  readonly dots: readonly CurveDot[]
  /** Runs of points beyond the scale, drawn as ticks on the edge. */
  readonly off: readonly { readonly x: number; readonly y: number; readonly edge: 'low' | 'high' }[]
  /** Points that were not finite: no place in the chart, but counted. */
  readonly missing: number
}
export type CurveChart = {
  readonly plot: Box
  readonly curves: readonly Curve[]
  readonly ticksX: readonly Tick[]
  readonly ticksY: readonly Tick[]
  readonly domain: Domain
  /** The quality limit, from the start to the step at which it is asked. */
  readonly limit: { readonly x0: number; readonly x1: number; readonly y: number } | null
}

export type Limit = { readonly steps: number; readonly accuracy: number }

const MARGIN = { left: 46, right: 14, top: 10, bottom: 26 }

/** Measured points only; of the loss also those that were not finite, as null. */
const pointsOf = ({ curve }: Evaluation, measure: Measure): { step: number; value: number | null }[] =>
  curve.flatMap((point) =>
    measure === 'accuracy' && point.accuracy === null ? [] : [{ step: point.step, value: point[measure] }],
  )

export const curveChart = (
  evaluations: readonly Evaluation[],
  measure: Measure,
  size: { readonly width: number; readonly height: number },
  limit: Limit | null = null,
): CurveChart => {
  const plot: Box = {
    x: MARGIN.left,
    y: MARGIN.top,
    width: Math.max(20, size.width - MARGIN.left - MARGIN.right),
    height: Math.max(20, size.height - MARGIN.top - MARGIN.bottom),
  }
  const all = evaluations.map((evaluation) => pointsOf(evaluation, measure))
  const values = all.flat().flatMap(({ value }) => (value === null ? [] : [value]))
  const shownLimit = measure === 'accuracy' ? limit : null
  const domain =
    measure === 'accuracy'
      ? accuracyDomain(values, shownLimit ? [shownLimit.accuracy, 0] : [0])
      : robustDomain(values)
  const last = Math.max(1, ...evaluations.flatMap(({ curve }) => curve.map(({ step }) => step)))
  const rangeX = [plot.x, plot.x + plot.width] as const
  const rangeY = [plot.y + plot.height, plot.y] as const
  const x = (step: number): number => plot.x + (step / last) * plot.width

  const curves = evaluations.map((evaluation, index): Curve => {
    const dots: CurveDot[] = []
    const off: { x: number; y: number; edge: 'low' | 'high' }[] = []
    for (const { step, value } of all[index]!) {
      const at = place(value, domain, rangeY)
      if (at === null || value === null) continue
      dots.push({ step, value, x: x(step), y: at.at })
      if (at.off !== null) off.push({ x: x(step), y: at.at, edge: at.off })
    }
    const missing = all[index]!.filter(({ value }) => value === null).length
    return { evaluation, index, path: draw(dots) ?? '', dots, off, missing }
  })
  return {
    plot,
    curves,
    ticksX: ticks([0, last], rangeX, Math.max(2, plot.width / 90)),
    ticksY: ticks(domain, rangeY, 5),
    domain,
    limit: shownLimit && {
      x0: plot.x,
      x1: x(Math.min(last, shownLimit.steps)),
      y: place(shownLimit.accuracy, domain, rangeY)!.at,
    },
  }
}

const draw = line<CurveDot>()
  .x((dot) => dot.x)
  .y((dot) => dot.y)

/** Of each curve the point nearest to a place, by steps. */
export const readAt = (chart: CurveChart, x: number): { readonly curve: Curve; readonly dot: CurveDot }[] =>
  chart.curves.flatMap((curve) => {
    const dot = curve.dots.reduce<CurveDot | null>(
      (best, each) => (best === null || Math.abs(each.x - x) < Math.abs(best.x - x) ? each : best),
      null,
    )
    return dot ? [{ curve, dot }] : []
  })
