/** Values over steps to lines in a chart that a far-out one cannot spoil. */
import { line } from 'd3'
import { place, ticks, type Domain, type Tick } from './scale.ts'
import type { Box } from './scene.ts'

export type Size = { readonly width: number; readonly height: number }
/** `value` null: it was not finite. */
export type Point = { readonly step: number; readonly value: number | null }
export type Dot = {
  readonly step: number
  readonly value: number
  readonly x: number
  readonly y: number
}
export type Line = {
  /** Position among the series. */
  readonly index: number
  readonly path: string
  /** In order of steps; `y` of one beyond the scale lies on the edge. */
  readonly dots: readonly Dot[]
  /** Runs of points beyond the scale, drawn as ticks on the edge. */
  readonly off: readonly { readonly x: number; readonly y: number; readonly edge: 'low' | 'high' }[]
  /** Points that were not finite: no place in the chart, but counted. */
  readonly missing: number
}
export type LineChart = {
  readonly plot: Box
  readonly curves: readonly Line[]
  readonly ticksX: readonly Tick[]
  readonly ticksY: readonly Tick[]
  readonly domain: Domain
}

export const MARGIN = { left: 46, right: 14, top: 10, bottom: 26 }

export const plotOf = (size: Size): Box => ({
  x: MARGIN.left,
  y: MARGIN.top,
  width: Math.max(20, size.width - MARGIN.left - MARGIN.right),
  height: Math.max(20, size.height - MARGIN.top - MARGIN.bottom),
})

/** Steps run from 0 at the left edge to `last` at the right one. */
export const lineChart = (
  series: readonly (readonly Point[])[],
  size: Size,
  domain: Domain,
  last: number,
): LineChart => {
  const plot = plotOf(size)
  const rangeX = [plot.x, plot.x + plot.width] as const
  const rangeY = [plot.y + plot.height, plot.y] as const
  const x = (step: number): number => plot.x + (step / last) * plot.width
  const curves = series.map((points, index): Line => {
    const dots: Dot[] = []
    const off: { x: number; y: number; edge: 'low' | 'high' }[] = []
    for (const { step, value } of points) {
      const at = place(value, domain, rangeY)
      if (at === null || value === null) continue
      dots.push({ step, value, x: x(step), y: at.at })
      if (at.off !== null) off.push({ x: x(step), y: at.at, edge: at.off })
    }
    const missing = points.filter(({ value }) => value === null).length
    return { index, path: draw(dots) ?? '', dots, off, missing }
  })
  return {
    plot,
    curves,
    ticksX: ticks([0, last], rangeX, Math.max(2, plot.width / 90)),
    ticksY: ticks(domain, rangeY, 5),
    domain,
  }
}

const draw = line<Dot>()
  .x((dot) => dot.x)
  .y((dot) => dot.y)

/** The point of each curve that is nearest to a place, by steps. */
export const readAt = <L extends Line>(
  { curves }: { readonly curves: readonly L[] },
  x: number,
): { readonly curve: L; readonly dot: Dot }[] =>
  curves.flatMap((curve) => {
    const dot = curve.dots.reduce<Dot | null>(
      (best, each) => (best === null || Math.abs(each.x - x) < Math.abs(best.x - x) ? each : best),
      null,
    )
    return dot ? [{ curve, dot }] : []
  })
