import type { Box, Rle } from '../metrics/mask.ts'
import { decodeMask } from '../metrics/mask.ts'
import type { AnnotatedImage } from './instances.ts'

/** An image fitted into a square of `side` pixels, its shape kept: content at the top left, `height` × `width`. */
export type Letterbox = {
  readonly side: number
  readonly height: number
  readonly width: number
  readonly imageHeight: number
  readonly imageWidth: number
}

export const letterbox = (imageHeight: number, imageWidth: number, side: number): Letterbox => {
  const scale = side / Math.max(imageHeight, imageWidth)
  const fit = (length: number) => Math.max(1, Math.round(length * scale))
  return { side, height: fit(imageHeight), width: fit(imageWidth), imageHeight, imageWidth }
}

/** A box of the image in the square's pixels. */
export const boxInto = (at: Letterbox, [x, y, width, height]: Box): Box => {
  const across = at.width / at.imageWidth
  const down = at.height / at.imageHeight
  return [x * across, y * down, width * across, height * down]
}

/** A box of the square in the image's pixels, cut off at its edges. */
export const boxOutOf = (at: Letterbox, [x, y, width, height]: Box): Box => {
  const across = at.imageWidth / at.width
  const down = at.imageHeight / at.height
  const clip = (value: number, most: number) => Math.min(most, Math.max(0, value))
  const left = clip(x * across, at.imageWidth)
  const top = clip(y * down, at.imageHeight)
  return [
    left,
    top,
    clip((x + width) * across, at.imageWidth) - left,
    clip((y + height) * down, at.imageHeight) - top,
  ]
}

/** A mask of the image in the square, `[side, side]` of 0 and 1: each pixel takes what lies under its centre. */
export const maskInto = (at: Letterbox, mask: Rle): Uint8Array => {
  if (mask.height !== at.imageHeight || mask.width !== at.imageWidth)
    throw new Error(
      `letterbox: needed a mask of ${at.imageHeight}×${at.imageWidth}, got ${mask.height}×${mask.width}`,
    )
  const pixels = decodeMask(mask)
  const square = new Uint8Array(at.side * at.side)
  for (let y = 0; y < at.height; y++) {
    const row = Math.floor(((y + 0.5) * at.imageHeight) / at.height) * at.imageWidth
    for (let x = 0; x < at.width; x++)
      square[y * at.side + x] = pixels[row + Math.floor(((x + 0.5) * at.imageWidth) / at.width)]!
  }
  return square
}

/** The image in the square, `[side, side, 3]` bytes; what it does not fill is black. */
export const loadLetterboxed = async (
  image: AnnotatedImage,
  side: number,
): Promise<{ at: Letterbox; pixels: Uint8Array }> => {
  const at = letterbox(image.height, image.width, side)
  const content = await image.pixels(at.height, at.width)
  const pixels = new Uint8Array(side * side * 3)
  for (let y = 0; y < at.height; y++)
    pixels.set(content.subarray(y * at.width * 3, (y + 1) * at.width * 3), y * side * 3)
  return { at, pixels }
}
