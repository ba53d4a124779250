/** Accuracies of two architectures against each other: one plot of the pairwise set. */
import { paretoFront } from '../../shared/pareto.ts'
import { place, ticks, type Domain, type Tick } from './scale.ts'
import type { Box } from './scene.ts'

export type ScorePoint = { readonly number: number; readonly scores: readonly number[] }
export type Dot = { readonly number: number; readonly x: number; readonly y: number }
export type Scatter = {
  readonly plot: Box
  /** In the order of the points; those beyond the scale lie on its edge. */
  readonly dots: readonly Dot[]
  /** How many lie beyond the scale. */
  readonly off: number
  readonly ticksX: readonly Tick[]
  readonly ticksY: readonly Tick[]
  /** Stairs along the best pairs, as an SVG path. */
  readonly stairs: string
}

const MARGIN = { left: 48, right: 16, top: 14, bottom: 38 }

/** Each pair of architectures once. */
export const pairs = (architectures: number): [number, number][] =>
  Array.from({ length: architectures }, (_, i) => i).flatMap((i) =>
    Array.from({ length: architectures - i - 1 }, (_, k): [number, number] => [i, i + k + 1]),
  )

/** `across`, `up`: which architectures; `domains`: one for each, the same in all plots. */
export const scatter = (
  points: readonly ScorePoint[],
  [across, up]: readonly [number, number],
  domains: readonly Domain[],
  size: { readonly width: number; readonly height: number },
): Scatter => {
  const plot: Box = {
    x: MARGIN.left,
    y: MARGIN.top,
    width: Math.max(20, size.width - MARGIN.left - MARGIN.right),
    height: Math.max(20, size.height - MARGIN.top - MARGIN.bottom),
  }
  const [domainX, domainY] = [domains[across]!, domains[up]!]
  const rangeX = [plot.x, plot.x + plot.width] as const
  const rangeY = [plot.y + plot.height, plot.y] as const
  let off = 0
  const dots = points.map(({ number, scores }): Dot => {
    const [x, y] = [place(scores[across]!, domainX, rangeX)!, place(scores[up]!, domainY, rangeY)!]
    if (x.off !== null || y.off !== null) off++
    return { number, x: x.at, y: y.at }
  })
  const best = paretoFront(points.map(({ scores }) => [scores[across]!, scores[up]!]))
    .map((i) => dots[i]!)
    .sort((a, b) => a.x - b.x || a.y - b.y)
  return {
    plot,
    dots,
    off,
    ticksX: ticks(domainX, rangeX, Math.max(2, plot.width / 70)),
    ticksY: ticks(domainY, rangeY, Math.max(2, plot.height / 50)),
    stairs: stairs(best, plot),
  }
}

/** From the left edge to the bottom one: nothing lies beyond it to the upper right. */
const stairs = (best: readonly Dot[], plot: Box): string => {
  if (best.length === 0) return ''
  const steps = best.map(({ x, y }) => `V${round(y)}H${round(x)}`).join('')
  return `M${plot.x},${round(best[0]!.y)}${steps}V${plot.y + plot.height}`
}
const round = (value: number): number => Math.round(value * 10) / 10

/** The dot nearest to a place, within `reach` pixels; of equally near ones the last, which is drawn on top. */
export const nearestDot = (
  dots: readonly Dot[],
  at: { readonly x: number; readonly y: number },
  reach: number,
): number | null => {
  let best: number | null = null
  let least = reach
  for (const dot of dots) {
    const distance = Math.hypot(dot.x - at.x, dot.y - at.y)
    if (distance > least) continue
    least = distance
    best = dot.number
  }
  return best
}
