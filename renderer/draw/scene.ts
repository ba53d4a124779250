/**
 * What the lineage shows in a window, in pixels: a list that an SVG, a canvas and a file are all drawn from, so that
 * they cannot differ.
 */
import type { BandMark, Lane, LaneKind, LineageLayout, LineageModel, Mark } from './lineage.ts'
import { lowerBound } from './lineage.ts'
import type { MarkKind } from './marks.ts'
import { RAMP_STEPS } from './ramp.ts'
import { ticks, type Tick } from './scale.ts'
import { project, type Projection, type Size, type Window } from './viewport.ts'

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
export type SceneMark = {
  readonly number: number
  readonly parent: number | null
  readonly kind: MarkKind
  readonly x: number
  readonly y: number
  readonly r: number
  /** Colour along the ramp (0: worst), null without a score. */
  readonly step: number | null
  /** In the population. */
  readonly alive: boolean
  /** Passed over by the search of the page. */
  readonly faded: boolean
  readonly label: string | null
  /** Descendants hidden under it. */
  readonly hidden: number
}
export type SceneLink = {
  readonly number: number
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
  readonly role: 'plain' | 'path' | 'faded'
}
/** An extinct branch. */
export type SceneBand = {
  readonly key: number
  readonly heads: readonly number[]
  readonly x0: number
  readonly x1: number
  readonly y: number
  readonly height: number
  readonly step: number | null
  readonly count: number
  readonly best: number | null
  /** The branch it comes from, where that is in the drawing. */
  readonly from: { readonly x: number; readonly y: number } | null
}
/** Layers of a crowded drawing: how many stand in a cell of `CELL` pixels, and the colour of their best. */
export type SceneCell = {
  readonly x: number
  readonly y: number
  readonly share: number
  readonly step: number
}
/** A lane shows marks while they keep apart, else bars of how many there are. */
export type SceneLane = {
  readonly kind: LaneKind
  readonly y: number
  readonly count: number
  readonly marks: readonly SceneMark[]
  readonly bars: readonly { readonly x: number; readonly share: number }[]
}
export type Scene = {
  readonly size: Size
  readonly plot: Box
  readonly marks: readonly SceneMark[]
  readonly links: readonly SceneLink[]
  readonly bands: readonly SceneBand[]
  /** In place of marks and links where there are too many to be told apart. */
  readonly cells: readonly SceneCell[]
  readonly lanes: readonly SceneLane[]
  readonly ticksX: readonly Tick[]
  readonly ticksY: readonly Tick[]
  /** Candidates shown, in the tree, in lanes or counted in a bar; links between them. */
  readonly nodes: number
}
export type SceneOptions = {
  readonly view: Window
  readonly size: Size
  /** Newest candidate shown (a replay), null for all. */
  readonly upTo: number | null
  /** Whether extinct branches are bands, those too small for one counted at their parent. */
  readonly folded?: boolean
  /** Who was in the population then, null: as the candidates say. */
  readonly alive: ReadonlySet<number> | null
  /** The selected layer and its ancestors. */
  readonly path: ReadonlySet<number>
  /** What the page searched for, null when it does not search. */
  readonly matches: ReadonlySet<number> | null
}

/** Pixels around the drawing: known layers' names stand at the left. */
const MARGIN = { left: 124, right: 20, top: 12, bottom: 26 }
export const LANE_HEIGHT = 22
const LANE_RADIUS = 3.6
/** Candidates of a lane closer than this on average are bars, pixels. */
const CROWDED = 2.4
export const BAR_WIDTH = 3
/** More layers than this in the window are shown by their density. */
const MOST_MARKS = 6000
export const CELL = 3
/** Baselines are few and named: a slot for each. */
const BASELINE_SLOT = 148

/** The lane of baselines stands above the drawing, the others below it. */
export const plotOf = (size: Size, lanes: readonly Lane[]): Box => {
  const above = lanes.some((lane) => lane.kind === 'baseline') ? LANE_HEIGHT + 6 : 0
  const below = lanes.filter((lane) => lane.kind !== 'baseline').length * LANE_HEIGHT
  return {
    x: MARGIN.left,
    y: MARGIN.top + above,
    width: Math.max(40, size.width - MARGIN.left - MARGIN.right),
    height: Math.max(40, size.height - MARGIN.top - MARGIN.bottom - above - below - (below > 0 ? 10 : 0)),
  }
}

/** Lines behind the drawing at round values. */
export const gridOf = ({
  plot,
  size,
  ticksX,
  ticksY,
}: Scene): { x0: number; y0: number; x1: number; y1: number }[] => [
  ...ticksX.map(({ at }) => ({ x0: at, y0: plot.y, x1: at, y1: size.height - MARGIN.bottom })),
  ...ticksY.map(({ at }) => ({ x0: plot.x, y0: at, x1: plot.x + plot.width, y1: at })),
]

/** Radius a mark is drawn with: members of the population stand out. */
export const drawnRadius = ({ r, alive }: SceneMark): number => (alive ? Math.max(2.6, r + 0.8) : r)
/** Width of the ring around a member of the population. */
export const ringWidth = ({ r }: SceneMark): number => Math.min(1.4, 0.3 * r + 0.3)

/** Data to pixels of the stage. */
export const inPlot = (view: Window, plot: Box): Projection => {
  const inner = project(view, plot)
  return {
    x: (value) => plot.x + inner.x(value),
    y: (value) => plot.y + inner.y(value),
    dataX: (pixel) => inner.dataX(pixel - plot.x),
    dataY: (pixel) => inner.dataY(pixel - plot.y),
  }
}

/** Radius of a mark, pixels: rows and neighbours keep apart where there is room. */
const radius = (model: LineageModel, view: Window, plot: Box): number => {
  const zoom = (model.whole.x1 - model.whole.x0) / (view.x1 - view.x0)
  const row = plot.height / (view.y1 - view.y0)
  if (model.layout === 'family') {
    const least = model.marks.length < 700 ? 2.3 : 1.7
    return clamp(Math.min(row * 0.36, (plot.width / 256) * zoom * 0.9), least, 6)
  }
  const tall = (model.whole.y1 - model.whole.y0) / (view.y1 - view.y0)
  const each = (plot.width * plot.height * zoom * tall) / Math.max(1, model.marks.length)
  return clamp(Math.sqrt(each) * 0.2, 1.8, 6)
}
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

export const sceneOf = (model: LineageModel, options: SceneOptions): Scene => {
  const { view, size } = options
  const plot = plotOf(size, model.lanes)
  const to = inPlot(view, plot)
  const last = options.upTo ?? Infinity
  const r = radius(model, view, plot)
  const shows = (pixel: number): boolean => pixel > plot.y - r && pixel < plot.y + plot.height + r

  const marks: SceneMark[] = []
  const first = lowerBound(model.marks, to.dataX(plot.x - 12), (mark) => mark.x)
  const end = to.dataX(plot.x + plot.width + 12)
  let nodes = 0
  for (const mark of model.marks) if (mark.node.number <= last) nodes++
  const until = lowerBound(model.marks, end, (mark) => mark.x)
  const crowded = until - first > MOST_MARKS
  const density = crowded ? new Map<number, { count: number; t: number }>() : null
  for (let i = first; i < until; i++) {
    const mark = model.marks[i]!
    if (mark.node.number > last) continue
    const y = to.y(mark.y)
    if (!shows(y)) continue
    const { number } = mark.node
    if (!density || options.path.has(number)) marks.push(sceneMark(mark, to.x(mark.x), y, r, options))
    else if (!fades(number, options)) {
      const cell = Math.floor(to.x(mark.x) / CELL) * 4096 + Math.floor(y / CELL)
      const here = density.get(cell)
      if (here) {
        here.count++
        here.t = Math.max(here.t, mark.t ?? 0)
      } else density.set(cell, { count: 1, t: mark.t ?? 0 })
    }
  }

  const links: SceneLink[] = []
  for (const { from, to: child } of model.links) {
    if (child.node.number > last || (crowded && !options.path.has(child.node.number))) continue
    if (child.x < view.x0 || from.x > end) continue
    const [y0, y1] = [to.y(from.y), to.y(child.y)]
    if (!shows(y0) && !shows(y1) && y0 < plot.y === y1 < plot.y) continue
    const number = child.node.number
    const role = options.path.has(number) ? 'path' : fades(number, options) ? 'faded' : 'plain'
    links.push({ number, x0: to.x(from.x), y0, x1: to.x(child.x), y1, role })
  }

  const lanes = sceneLanes(model.lanes, to, plot, options)
  for (const lane of lanes) nodes += lane.count
  for (const mark of model.marks) if (options.folded && mark.node.number <= last) nodes += mark.hidden
  for (const { band } of model.bands) if (band.first <= last) nodes += band.count
  const bands = model.bands.flatMap((band) => sceneBand(band, model.layout, to, plot, last))
  const ticksY: Tick[] =
    model.layout === 'score' ? ticks([-view.y0 / 100, -view.y1 / 100], [plot.y, plot.y + plot.height], 6) : []
  const ticksX = ticks(
    [view.x0, view.x1],
    [plot.x, plot.x + plot.width],
    Math.max(3, plot.width / 110),
  ).filter((tick) => tick.value >= 0 && Number.isInteger(tick.value))
  return { size, plot, marks, links, bands, cells: cellsOf(density), lanes, ticksX, ticksY, nodes }
}

const cellsOf = (density: ReadonlyMap<number, { count: number; t: number }> | null): SceneCell[] => {
  if (!density) return []
  const most = Math.log1p([...density.values()].reduce((max, { count }) => Math.max(max, count), 1))
  return [...density].map(([cell, { count, t }]) => ({
    x: Math.floor(cell / 4096) * CELL,
    y: (cell % 4096) * CELL,
    share: Math.log1p(count) / most,
    step: Math.round(t * (RAMP_STEPS - 1)),
  }))
}

/** As high as it is many, within its row. */
const sceneBand = (
  mark: BandMark,
  layout: LineageLayout,
  to: Projection,
  plot: Box,
  last: number,
): SceneBand[] => {
  const { band, from } = mark
  if (band.first > last) return []
  const [x0, x1, y] = [to.x(mark.x0), to.x(mark.x1), to.y(mark.y)]
  const outside = x1 < plot.x || x0 > plot.x + plot.width || y < plot.y - 12 || y > plot.y + plot.height + 12
  const high = layout === 'family' ? (to.y(1) - to.y(0)) * mark.rows * 0.8 : 8
  const height = clamp(high, 2, 22)
  const step = mark.t === null ? null : Math.round(mark.t * (RAMP_STEPS - 1))
  const start = from && { x: to.x(from.x), y: to.y(from.y) }
  const { key, heads, count, best } = band
  return outside
    ? []
    : [{ key, heads, x0, x1: Math.max(x1, x0 + 6), y, height, step, count, best, from: start }]
}

const fades = (number: number, { matches }: SceneOptions): boolean => matches !== null && !matches.has(number)

const sceneMark = (mark: Mark, x: number, y: number, r: number, options: SceneOptions): SceneMark => ({
  number: mark.node.number,
  parent: mark.node.parent,
  // Known layers enter equal to a baseline: what counts in the tree is the score they have.
  kind: mark.t === null ? mark.kind : 'scored',
  x,
  y,
  r,
  step: mark.t === null ? null : Math.round(mark.t * (RAMP_STEPS - 1)),
  alive: options.alive ? options.alive.has(mark.node.number) : mark.node.alive,
  faded: fades(mark.node.number, options),
  label: mark.label,
  hidden: mark.hidden,
})

const sceneLanes = (
  lanes: readonly Lane[],
  to: Projection,
  plot: Box,
  options: SceneOptions,
): SceneLane[] => {
  let y = plot.y + plot.height + 10 + LANE_HEIGHT / 2
  return lanes.map((whole) => {
    const lane = laneUntil(whole, options.upTo)
    const end = lane.nodes.length
    if (lane.kind === 'baseline') {
      const slot = Math.min(BASELINE_SLOT, plot.width / Math.max(1, lane.nodes.length))
      const slots = lane.nodes.slice(0, end).map((_, i) => plot.x + 8 + i * slot)
      return oneLane(lane, slots, 0, end, MARGIN.top + LANE_HEIGHT / 2, options, 5)
    }
    const from = lowerBound(lane.xs, to.dataX(plot.x - 4), (x) => x)
    const until = lowerBound(lane.xs, to.dataX(plot.x + plot.width + 4), (x) => x)
    const at = y
    y += LANE_HEIGHT
    const xs = lane.xs.slice(from, until).map((x) => to.x(x))
    const apart = plot.width / Math.max(1, until - from)
    if (apart < CROWDED) {
      const sought = xs.filter((_, i) => !fades(lane.nodes[from + i]!.number, options))
      return { kind: lane.kind, y: at, count: end, marks: [], bars: bars(sought, plot) }
    }
    const r = clamp(apart * 0.4, 1.5, LANE_RADIUS)
    return { ...oneLane(lane, xs, from, until, at, options, r), count: end }
  })
}

/** A lane as it was when candidate `upTo` had come. */
const laneUntil = (lane: Lane, upTo: number | null): Lane => {
  if (upTo === null) return lane
  const came = lane.nodes.map(({ number }) => number <= upTo)
  return { ...lane, nodes: lane.nodes.filter((_, i) => came[i]), xs: lane.xs.filter((_, i) => came[i]) }
}

const oneLane = (
  lane: Lane,
  xs: readonly number[],
  from: number,
  until: number,
  y: number,
  options: SceneOptions,
  r: number,
): SceneLane => ({
  kind: lane.kind,
  y,
  count: until - from,
  bars: [],
  marks: lane.nodes.slice(from, until).map((node, i): SceneMark => ({
    number: node.number,
    parent: node.parent,
    kind: lane.kind,
    x: xs[i]!,
    y,
    r,
    step: null,
    alive: false,
    faded: fades(node.number, options),
    label: lane.kind === 'baseline' ? node.origin : null,
    hidden: 0,
  })),
})

/** Candidates per three pixels, as a share of the fullest. */
const bars = (xs: readonly number[], plot: Box): SceneLane['bars'] => {
  const counts = new Map<number, number>()
  for (const x of xs) {
    const slot = Math.floor((x - plot.x) / BAR_WIDTH)
    if (slot >= 0 && slot * BAR_WIDTH < plot.width) counts.set(slot, (counts.get(slot) ?? 0) + 1)
  }
  const most = Math.max(...counts.values(), 1)
  return [...counts].map(([slot, n]) => ({ x: plot.x + slot * BAR_WIDTH, share: n / most }))
}
