import { mergeMasks, type Rle } from './mask.ts'

/** Boundaries are walked at five times the resolution. */
const SCALE = 5

/**
 * A polygon `[x0, y0, x1, y1, …]` (pixels, any order, may cross itself or leave the image) as a mask: the pixels that
 * COCO's rleFrPoly (cocoapi, common/maskApi.c) sets, no others.
 */
export const polygonMask = (polygon: readonly number[], height: number, width: number): Rle => {
  if (polygon.length < 6 || polygon.length % 2 !== 0)
    throw new Error(`mask: a polygon needs 3 or more points as x, y pairs, got ${polygon.length} numbers`)
  const bad = polygon.find((value) => !Number.isFinite(value))
  if (bad !== undefined) throw new Error(`mask: a polygon needs finite numbers, got ${bad}`)

  // Where the boundary passes from one column of pixels to the next, and the row at which it does.
  const crossings: number[] = []
  const boundary = denseBoundary(polygon)
  for (let j = 2; j < boundary.length; j += 2) {
    const [u0, v0, u1, v1] = [boundary[j - 2]!, boundary[j - 1]!, boundary[j]!, boundary[j + 1]!]
    if (u1 === u0) continue
    const x = ((u1 < u0 ? u1 : u1 - 1) + 0.5) / SCALE - 0.5
    if (Math.floor(x) !== x || x < 0 || x > width - 1) continue
    const y = (Math.min(v0, v1) + 0.5) / SCALE - 0.5
    crossings.push(x * height + Math.ceil(Math.min(Math.max(y, 0), height)))
  }
  crossings.push(height * width)
  return { height, width, counts: runsBetween(crossings.sort((a, b) => a - b)) }
}

/** The union of polygons: one object's parts. */
export const polygonsMask = (polygons: readonly (readonly number[])[], height: number, width: number): Rle =>
  mergeMasks(polygons.map((polygon) => polygonMask(polygon, height, width)))

/** Every point of the closed boundary on the finer grid, `[u, v, …]`. Rounding towards zero, as a C cast does. */
const denseBoundary = (polygon: readonly number[]): number[] => {
  const points = polygon.map((value) => Math.trunc(SCALE * value + 0.5))
  const boundary: number[] = []
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
    for (let d = 0; d <= length; d++) {
      const t = flip ? length - d : d
      if (flat) boundary.push(t + xs, Math.trunc(ys + slope * t + 0.5))
      else boundary.push(Math.trunc(xs + slope * t + 0.5), t + ys)
    }
  }
  return boundary
}

/** Run lengths between sorted positions; two at one position cancel. */
const runsBetween = (positions: readonly number[]): number[] => {
  const gaps = positions.map((position, i) => position - (positions[i - 1] ?? 0))
  const counts = [gaps[0]!]
  for (let j = 1; j < gaps.length; j++) {
    if (gaps[j]! > 0) counts.push(gaps[j]!)
    else if (++j < gaps.length) counts[counts.length - 1]! += gaps[j]!
  }
  return counts
}
