import type { Box, Rle } from '../../metrics/mask.ts'
import { MASK_SIDE } from './settings.ts'

/**
 * The mask of an image that probabilities `[28, 28]` in a box make: set where, interpolated at a pixel's centre, they are
 * 0.5 or more. Nothing is set outside the box.
 */
export const pasteMask = (probabilities: Float32Array, box: Box, height: number, width: number): Rle => {
  const [left, top, boxWidth, boxHeight] = box
  const at = (y: number, x: number): number => {
    const [row, column] = [Math.min(MASK_SIDE - 1, Math.max(0, y)), Math.min(MASK_SIDE - 1, Math.max(0, x))]
    const [y0, x0] = [Math.floor(row), Math.floor(column)]
    const [y1, x1] = [Math.min(MASK_SIDE - 1, y0 + 1), Math.min(MASK_SIDE - 1, x0 + 1)]
    const [fy, fx] = [row - y0, column - x0]
    const value = (i: number, j: number) => probabilities[i * MASK_SIDE + j]!
    return (
      (value(y0, x0) * (1 - fx) + value(y0, x1) * fx) * (1 - fy) +
      (value(y1, x0) * (1 - fx) + value(y1, x1) * fx) * fy
    )
  }
  /** The pixels whose centres lie between two edges. */
  const range = (from: number, length: number, most: number): [number, number] => [
    Math.max(0, Math.ceil(from - 0.5)),
    Math.min(most, Math.ceil(from + length - 0.5)),
  ]
  const [x0, x1] = range(left, boxWidth, width)
  const [y0, y1] = range(top, boxHeight, height)
  const counts: number[] = []
  let done = 0
  for (let x = x0; x < x1; x++)
    for (let y = y0; y < y1; y++) {
      const row = ((y + 0.5 - top) / boxHeight) * MASK_SIDE - 0.5
      const column = ((x + 0.5 - left) / boxWidth) * MASK_SIDE - 0.5
      if (at(row, column) < 0.5) continue
      const place = x * height + y
      if (place === done && counts.length > 0) counts[counts.length - 1]! += 1
      else counts.push(place - done, 1)
      done = place + 1
    }
  if (done < height * width) counts.push(height * width - done)
  return { height, width, counts }
}
