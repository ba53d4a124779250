/** From a place in the drawing to the candidate there, and back. */
import { lowerBound, type LineageModel } from './lineage.ts'
import { LANE_HEIGHT, type Scene, type SceneMark } from './scene.ts'
import type { Projection } from './viewport.ts'

type Point = { readonly x: number; readonly y: number }

/** The candidate nearest to a point, within `reach` pixels: in the tree, else in the lane the point is in. */
export const pick = (
  scene: Scene,
  model: LineageModel,
  to: Projection,
  at: Point,
  reach: number,
): number | null => {
  const { plot } = scene
  const inPlot = at.y >= plot.y - reach && at.y <= plot.y + plot.height + reach
  const found = inPlot ? nearest(scene.marks, at, reach) : null
  if (found !== null) return found
  const lane = scene.lanes.find(({ y }) => Math.abs(y - at.y) <= LANE_HEIGHT / 2)
  if (!lane) return null
  if (lane.marks.length > 0)
    return nearest(lane.marks, { x: at.x, y: lane.y }, lane.kind === 'baseline' ? 2 * reach : reach)
  const { nodes, xs } = model.lanes.find(({ kind }) => kind === lane.kind)!
  const i = lowerBound(xs, to.dataX(at.x), (x) => x)
  const near = [i - 1, i]
    .filter((near) => near < lane.count && nodes[near] !== undefined)
    .map((near) => ({ number: nodes[near]!.number, distance: Math.abs(to.x(xs[near]!) - at.x) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near && near.distance <= reach ? near.number : null
}

const nearest = (marks: readonly SceneMark[], at: Point, reach: number): number | null => {
  let best: number | null = null
  let least = reach
  for (const mark of marks) {
    if (Math.abs(mark.x - at.x) > least) continue
    const distance = Math.hypot(mark.x - at.x, mark.y - at.y)
    if (distance > least) continue
    least = distance
    best = mark.number
  }
  return best
}

/** Where a candidate is drawn, also when it is only counted in a bar; null when it is not in the window. */
export const placeOf = (
  scene: Scene,
  model: LineageModel,
  to: Projection,
  number: number,
): (Point & { readonly r: number }) | null => {
  const mark = scene.marks.find((each) => each.number === number)
  if (mark) return mark
  for (const lane of scene.lanes) {
    const drawn = lane.marks.find((each) => each.number === number)
    if (drawn) return drawn
    if (lane.marks.length > 0) continue
    const { nodes, xs } = model.lanes.find(({ kind }) => kind === lane.kind)!
    const i = nodes.findIndex((node) => node.number === number)
    const x = to.x(xs[i] ?? NaN)
    if (x >= scene.plot.x && x <= scene.plot.x + scene.plot.width) return { x, y: lane.y, r: 4 }
  }
  return null
}

/** The band at a point, null where there is none. */
export const bandAt = ({ bands }: Scene, at: Point): Scene['bands'][number] | null =>
  bands.find(
    ({ x0, x1, y, height }) => at.x >= x0 && at.x <= x1 && Math.abs(at.y - y) <= Math.max(5, height / 2),
  ) ?? null

/** Steps from a layer to another one of its family: to its parent, its first child, its siblings. */
export type Step = 'parent' | 'child' | 'next' | 'previous'
/** The layer a step leads to. Where none is picked yet, the first step goes to `best`. */
export const stepFrom = (
  model: LineageModel,
  from: number | null,
  step: Step,
  best: number | null = null,
): number | null => {
  const numbers = (of: (link: LineageModel['links'][number]) => boolean): number[] =>
    model.links.filter(of).map((link) => link.to.node.number)
  if (from === null || !model.byNumber.has(from))
    return best !== null && model.byNumber.has(best) ? best : (model.marks[0]?.node.number ?? null)
  const parent = model.byNumber.get(from)!.node.parent
  if (step === 'parent') return parent !== null && model.byNumber.has(parent) ? parent : null
  if (step === 'child') return numbers((link) => link.from.node.number === from)[0] ?? null
  const linked = new Set(model.links.map((link) => link.to.node.number))
  const siblings = linked.has(from)
    ? numbers((link) => link.from.node.number === parent)
    : model.marks.filter((mark) => !linked.has(mark.node.number)).map((mark) => mark.node.number)
  // From top to bottom as they are drawn.
  siblings.sort((a, b) => model.byNumber.get(a)!.y - model.byNumber.get(b)!.y || a - b)
  const at = siblings.indexOf(from)
  return siblings[step === 'next' ? at + 1 : at - 1] ?? null
}
