/**
 * Outlines to pixel coverage: exact areas, so that edges are smooth and a mask is exact. Only additions,
 * multiplications, divisions and roots are used here, which IEEE 754 fixes to the last bit: the same outline gives
 * the same coverage on every machine.
 */

/** A closed polygon, `[x0, y0, x1, y1, …]`; the last point is joined to the first. */
export type Contour = readonly number[]

/** `x' = a·x + c·y + e`, `y' = b·x + d·y + f`. */
export type Transform = {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly e: number
  readonly f: number
}

/** Cosine and sine of a fraction of a full turn, by its Taylor series after reduction to an eighth. */
export const direction = (turns: number): readonly [cos: number, sin: number] => {
  const quarters = Math.round(turns * 4)
  const angle = (turns - quarters / 4) * 6.283185307179586
  const s = angle * angle
  const cos = 1 - (s / 2) * (1 - (s / 12) * (1 - (s / 30) * (1 - (s / 56) * (1 - (s / 90) * (1 - s / 132)))))
  const sin = angle * (1 - (s / 6) * (1 - (s / 20) * (1 - (s / 42) * (1 - (s / 72) * (1 - s / 110)))))
  const quadrants = [
    [cos, sin],
    [-sin, cos],
    [-cos, -sin],
    [sin, -cos],
  ] as const
  return quadrants[((quarters % 4) + 4) % 4]!
}

export const transformed = (contour: Contour, { a, b, c, d, e, f }: Transform): Contour =>
  contour.map((_, i) => {
    const x = contour[i & ~1]!
    const y = contour[i | 1]!
    return i & 1 ? b * x + d * y + f : a * x + c * y + e
  })

/**
 * How much of each pixel the outlines cover, 0..1, `[height, width]`. Contours must not cross themselves or each
 * other; one inside another that runs the other way round is a hole. What lies past the edges is cut off.
 */
export const coverage = (
  contours: readonly Contour[],
  width: number,
  height: number,
  out = new Float32Array(width * height),
): Float32Array => {
  out.fill(0)
  for (const contour of contours)
    for (let i = 0; i < contour.length; i += 2) {
      const j = (i + 2) % contour.length
      addEdge(out, width, height, contour[i]!, contour[i + 1]!, contour[j]!, contour[j + 1]!)
    }
  for (let row = 0; row < height; row++) {
    let sum = 0
    for (let i = row * width; i < (row + 1) * width; i++) {
      sum += out[i]!
      const covered = Math.abs(sum)
      // Sums of float32 leave dust: a pixel outside is 0, one inside is 1.
      out[i] = covered < 1e-5 ? 0 : covered > 0.99999 ? 1 : covered
    }
  }
  return out
}

/**
 * Adds the edge's change of coverage from each pixel to the next: an edge of height `dy` inside a pixel uncovers
 * what lies left of it, and every pixel to its right is covered by `dy` more. Summing each row gives the areas.
 */
const addEdge = (
  sums: Float32Array,
  width: number,
  height: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): void => {
  if (ay === by) return
  const sign = ay < by ? 1 : -1
  const [topX, topY, bottomX, bottomY] = ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay]
  const slope = (bottomX - topX) / (bottomY - topY)
  const lastRow = Math.min(height - 1, Math.ceil(bottomY) - 1)
  for (let row = Math.max(0, Math.floor(topY)); row <= lastRow; row++) {
    const from = Math.max(row, topY)
    const to = Math.min(row + 1, bottomY)
    const x0 = topX + (from - topY) * slope
    const x1 = topX + (to - topY) * slope
    const left = Math.min(x0, x1)
    const right = Math.max(x0, x1)
    const start = row * width
    if (left >= width) continue
    const dy = sign * (to - from)
    if (right <= 0) {
      sums[start]! += dy
      continue
    }
    const run = right - left
    // What lies left of the image counts as if it ran along its edge; what lies right of it changes nothing.
    if (left < 0) sums[start]! += (dy * -left) / run
    for (let column = Math.max(0, Math.floor(left)); column < Math.min(width, right); column++) {
      const enter = Math.max(left, column)
      const leave = Math.min(right, column + 1)
      const part = run > 0 ? (dy * (leave - enter)) / run : dy
      const uncovered = part * ((enter + leave) / 2 - column)
      sums[start + column]! += part - uncovered
      if (column + 1 < width) sums[start + column + 1]! += uncovered
    }
    // An upright edge on a pixel's border is not inside any pixel: all to its right is covered.
    if (run === 0 && right === Math.floor(right)) sums[start + right]! += dy
  }
}
