import { mergeMasks, type Rle } from './mask.ts'

/** Boundaries are walked at five times the resolution. */
const SCALE = 5
/** Coordinates beyond this overflow maskApi.c's integers: pixels. */
const FARTHEST = Math.floor((2 ** 31 - 1) / SCALE)
/** Edges longer than this many points of the finer grid are walked column by column, not point by point. */
const LONG = 2 ** 16

/**
 * A polygon `[x0, y0, x1, y1, …]` (pixels, any order, may cross itself or leave the image) as a mask: the pixels that
 * COCO's rleFrPoly (cocoapi, common/maskApi.c) sets, no others. Time and memory depend on the image's size, not on how
 * far the polygon leaves it.
 */
export const polygonMask = (polygon: readonly number[], height: number, width: number): Rle =>
  maskWithin(onGrid(polygon), height, width)

/** A polygon's points on the finer grid, whole numbers of 32 bits: all of it that its mask depends on. */
export type GridPolygon = readonly number[]

/** Rounding is towards zero, as a C cast does. */
export const onGrid = (polygon: readonly number[]): GridPolygon => {
  if (polygon.length < 6 || polygon.length % 2 !== 0)
    throw new Error(`mask: a polygon needs 3 or more points as x, y pairs, got ${polygon.length} numbers`)
  const bad = polygon.find((value) => !(Math.abs(value) <= FARTHEST))
  if (bad !== undefined)
    throw new Error(`mask: a polygon needs numbers from ${-FARTHEST} to ${FARTHEST}, got ${bad}`)
  return polygon.map((value) => Math.trunc(SCALE * value + 0.5))
}

const maskWithin = (points: GridPolygon, height: number, width: number): Rle => {
  // Where the boundary passes from one column of pixels to the next, and the row at which it does.
  const crossings: number[] = []
  let [u0, v0] = [NaN, NaN]
  walkBoundary(points, SCALE * width + 2, (u1, v1) => {
    const [left, above] = [u1 < u0 ? u1 : u1 - 1, Math.min(v0, v1)]
    const passes = u1 !== u0 && !Number.isNaN(u0)
    u0 = u1
    v0 = v1
    if (!passes) return
    const x = (left + 0.5) / SCALE - 0.5
    if (Math.floor(x) !== x || x < 0 || x > width - 1) return
    const y = (above + 0.5) / SCALE - 0.5
    crossings.push(x * height + Math.ceil(Math.min(Math.max(y, 0), height)))
  })
  crossings.push(height * width)
  return { height, width, counts: runsBetween(Float64Array.from(crossings).sort()) }
}

/** The union of polygons: one object's parts. */
export const polygonsMask = (polygons: readonly (readonly number[])[], height: number, width: number): Rle =>
  gridMask(polygons.map(onGrid), height, width)

/** As \`polygonsMask\`. */
export const gridMask = (polygons: readonly GridPolygon[], height: number, width: number): Rle =>
  mergeMasks(polygons.map((points) => maskWithin(points, height, width)))

/**
 * Visits the points of the closed boundary on the finer grid, columns u and rows v. Of long edges those left of −2 or right of `last`, which set no pixel, are left out: since u changes by at most 1
 * from point to point, what is left out begins and ends at these columns, where no crossing is counted.
 */
const walkBoundary = (points: GridPolygon, last: number, visit: (u: number, v: number) => void): void => {
  for (let j = 0; j < points.length; j += 2) {
    const next = (j + 2) % points.length
    let [xs, ys, xe, ye] = [points[j]!, points[j + 1]!, points[next]!, points[next + 1]!]
    const dx = Math.abs(xe - xs)
    const dy = Math.abs(ye - ys)
    const flat = dx >= dy
    const flip = flat ? xs > xe : ys > ye
    if (flip) [xs, ys, xe, ye] = [xe, ye, xs, ys]
    const length = Math.max(dx, dy)
    const slope = length === 0 ? 0 : (flat ? ye - ys : xe - xs) / length
    const column = (d: number): number => {
      const t = flip ? length - d : d
      return flat ? t + xs : Math.trunc(xs + slope * t + 0.5)
    }
    const row = (d: number): number => {
      const t = flip ? length - d : d
      return flat ? Math.trunc(ys + slope * t + 0.5) : t + ys
    }
    if (length <= LONG) for (let d = 0; d <= length; d++) visit(column(d), row(d))
    else walkColumns(column, row, length, last, visit)
  }
}

/** The first and last point of an edge in each column from −2 to `last`; `column` rises or falls steadily. */
const walkColumns = (
  column: (d: number) => number,
  row: (d: number) => number,
  length: number,
  last: number,
  visit: (u: number, v: number) => void,
): void => {
  const rises = column(length) >= column(0)
  const entered = rises ? (d: number) => column(d) >= -2 : (d: number) => column(d) <= last
  for (let d = firstWhere(entered, 0, length); d <= length;) {
    const u = column(d)
    if (u < -2 || u > last) return
    const end = firstWhere((e) => column(e) !== u, d, length) - 1
    visit(u, row(d))
    if (end > d) visit(u, row(end))
    d = end + 1
  }
}

/** The first whole number from `from` to `to` that passes, else `to + 1`; all after one that passes pass, too. */
const firstWhere = (passes: (d: number) => boolean, from: number, to: number): number => {
  let [low, high] = [from, to + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (passes(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Run lengths between sorted positions; two at one position cancel. */
const runsBetween = (positions: Float64Array): number[] => {
  const gaps = positions.map((position, i) => position - (positions[i - 1] ?? 0))
  const counts = [gaps[0]!]
  for (let j = 1; j < gaps.length; j++) {
    if (gaps[j]! > 0) counts.push(gaps[j]!)
    else if (++j < gaps.length) counts[counts.length - 1]! += gaps[j]!
  }
  return counts
}
