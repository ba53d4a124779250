/** The best average so far, as steps over the candidates or over time, against lines for the baselines. */
import { accuracyDomain, place, ticks, type Domain, type Tick } from './scale.ts'
import type { Size } from './viewport.ts'

export type Along = 'candidates' | 'time'
export type TrendPoint = { readonly number: number; readonly seconds: number; readonly average: number }
export type ScoredPoint = { readonly number: number; readonly average: number }

export type BestInput = {
  readonly trend: readonly TrendPoint[]
  readonly baselines: readonly { readonly name: string; readonly average: number | null }[]
  /** Every scored candidate: drawn along the candidates only. */
  readonly scored: readonly ScoredPoint[]
  readonly along: Along
  /** Candidates generated, or seconds of running. */
  readonly upTo: number
}

export const MARGIN = { top: 12, right: 132, bottom: 24, left: 46 } as const
/** Least distance between the middles of two labels, pixels. */
const LABEL = 15

export type BestLine = {
  readonly name: string
  readonly average: number
  readonly y: number
  /** Where its label stands, so that labels don't meet. */
  readonly labelY: number
  readonly off: 'low' | 'high' | null
}
export type BestDrawing = {
  readonly x: readonly Tick[]
  readonly y: readonly Tick[]
  readonly right: number
  readonly bottom: number
  readonly path: string
  readonly area: string
  readonly points: readonly (TrendPoint & { readonly x: number; readonly y: number })[]
  readonly lines: readonly BestLine[]
  readonly dots: readonly (ScoredPoint & { readonly x: number; readonly y: number })[]
  /** Scored candidates below the axis: not drawn, but counted. */
  readonly below: number
}

export const drawBest = (input: BestInput, { width, height }: Size): BestDrawing => {
  const { trend, along, scored } = input
  const [left, right] = [MARGIN.left, Math.max(MARGIN.left + 40, width - MARGIN.right)]
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom]
  const known = input.baselines.flatMap(({ name, average }) => (average === null ? [] : [{ name, average }]))
  const best = trend.at(-1)
  const domain = domainOf(trend, known, best)
  const until = Math.max(1, input.upTo, best ? at(best, along) : 0)

  const y = (value: number) => place(value, domain, [bottom, top])!
  const x = (value: number): number => left + (value / until) * (right - left)
  const points = trend.map((point) => ({ ...point, x: x(at(point, along)), y: y(point.average).at }))
  const path = steps(points, right)
  const inside = along === 'candidates' ? scored : []
  const dots = inside.flatMap((point) => {
    const height = y(point.average)
    return height.off ? [] : [{ ...point, x: x(point.number), y: height.at }]
  })
  return {
    x: ticks([0, until], [left, right], Math.max(2, Math.floor((right - left) / 110))),
    y: ticks(domain, [bottom, top], Math.max(2, Math.floor((bottom - top) / 44))),
    right,
    bottom,
    path,
    area: path === '' ? '' : `${path}V${bottom}H${points[0]!.x.toFixed(1)}Z`,
    points,
    lines: spread(
      known.map(({ name, average }) => {
        const { at: height, off } = y(average)
        return { name, average, y: height, labelY: height, off }
      }),
      top,
      bottom,
    ),
    dots,
    below: inside.filter((point) => y(point.average).off === 'low').length,
  }
}

const at = (point: TrendPoint, along: Along): number =>
  along === 'candidates' ? point.number : point.seconds

/** The curve and the better half of the baselines; a baseline far below them is marked at the edge. */
const domainOf = (
  trend: readonly TrendPoint[],
  baselines: readonly { readonly average: number }[],
  best: TrendPoint | undefined,
): Domain => {
  const known = baselines.map(({ average }) => average).sort((a, b) => b - a)
  const core = [...trend.map(({ average }) => average), ...known.slice(0, Math.ceil(known.length / 2))]
  const floor = Math.min(...core) - (Math.max(...core) - Math.min(...core)) / 2
  const near = known.filter((average) => average >= floor)
  return accuracyDomain([...core, ...near], best ? [best.average] : [])
}

const steps = (points: readonly { readonly x: number; readonly y: number }[], right: number): string => {
  const [first, ...rest] = points
  if (!first) return ''
  const rises = rest.map(({ x, y }) => `H${x.toFixed(1)}V${y.toFixed(1)}`)
  return `M${first.x.toFixed(1)} ${first.y.toFixed(1)}${rises.join('')}H${right.toFixed(1)}`
}

/** Moves labels apart: downwards from the highest, then back up from the floor. */
const spread = (lines: readonly BestLine[], top: number, bottom: number): BestLine[] => {
  const sorted = [...lines].sort((a, b) => a.y - b.y)
  const heights: number[] = []
  sorted.forEach((line, i) => {
    heights.push(Math.max(line.y, top, i === 0 ? -Infinity : heights[i - 1]! + LABEL))
  })
  for (let i = heights.length - 1, ceiling = bottom; i >= 0; i--, ceiling = heights[i + 1]! - LABEL)
    heights[i] = Math.min(heights[i]!, ceiling)
  return sorted.map((line, i) => ({ ...line, labelY: heights[i]! }))
}

/** The point of the trend that stands at a pixel: the last one before it. */
export const pointAt = (
  drawing: Pick<BestDrawing, 'points'>,
  x: number,
): BestDrawing['points'][number] | null => drawing.points.findLast((point) => point.x <= x) ?? null
