/** Images as the detector takes them: fitted into a square, objects' boxes and masks with them. */
import type { AnnotatedImage } from '../../data/instances.ts'
import { boxInto, loadLetterboxed, maskInto, type Letterbox } from '../../data/letterbox.ts'
import { OBJECT_MASK_SIDE } from './settings.ts'

export type PreparedImage = {
  readonly at: Letterbox
  /** `[side, side, 3]` */
  readonly pixels: Uint8Array
  /** y₁, x₁, y₂, x₂ of each object, in the square's pixels. */
  readonly boxes: Float32Array
  /** Category of each, from 1 on. */
  readonly classes: Int32Array
  /** Each cut out of its box, `[56, 56]` of 0 and 1. */
  readonly masks: readonly Uint8Array[]
}

/** Objects thinner than this in the square are left out: nothing could be learnt of them. */
const THINNEST = 1

/** Crowds are left out, as is all but the `most` largest. */
export const prepareImage = async (
  image: AnnotatedImage,
  side: number,
  most: number,
): Promise<PreparedImage> => {
  const { at, pixels } = await loadLetterboxed(image, side)
  const objects = image
    .instances()
    .filter(({ crowd }) => !crowd)
    .map((instance) => ({ ...instance, square: boxInto(at, instance.box) }))
    .filter(({ square: [, , width, height] }) => width >= THINNEST && height >= THINNEST)
    .sort((a, b) => b.area - a.area)
    .slice(0, most)
  return {
    at,
    pixels,
    boxes: Float32Array.from(
      objects.flatMap(({ square: [x, y, width, height] }) => [y, x, y + height, x + width]),
    ),
    classes: Int32Array.from(objects, ({ category }) => category + 1),
    masks: objects.map(({ mask, square }) => cutOut(maskInto(at, mask), side, square)),
  }
}

/** What of a mask `[side, side]` lies in a box, resampled: each pixel takes what lies under its centre. */
const cutOut = (
  mask: Uint8Array,
  side: number,
  [x, y, width, height]: readonly [number, number, number, number],
): Uint8Array => {
  const n = OBJECT_MASK_SIDE
  const cut = new Uint8Array(n * n)
  // Beyond the square's edges the nearest pixel is taken: an index may not leave its row.
  const place = (from: number, length: number, i: number) =>
    Math.min(side - 1, Math.max(0, Math.floor(from + ((i + 0.5) * length) / n)))
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) cut[i * n + j] = mask[place(y, height, i) * side + place(x, width, j)]!
  return cut
}

/** Mean and deviation of ImageNet's channels, bytes. */
const MEAN = [123.675, 116.28, 103.53] as const
const DEVIATION = [58.395, 57.12, 57.375] as const

/** Writes pixels `[side, side, 3]`, normalised, into a batch at place `n`. */
export const writeNormalised = (pixels: Uint8Array, into: Float32Array, n: number): void => {
  const start = n * pixels.length
  for (let i = 0; i < pixels.length; i++) into[start + i] = (pixels[i]! - MEAN[i % 3]!) / DEVIATION[i % 3]!
}

/** The image with left and right exchanged; what the square has beyond it stays. */
export const mirrored = (image: PreparedImage): PreparedImage => {
  const { width, height, side } = image.at
  const pixels = image.pixels.slice()
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        pixels[3 * (y * side + x) + c] = image.pixels[3 * (y * side + width - 1 - x) + c]!
  const boxes = image.boxes.slice()
  for (let i = 0; i < boxes.length; i += 4) {
    boxes[i + 1] = width - image.boxes[i + 3]!
    boxes[i + 3] = width - image.boxes[i + 1]!
  }
  const turned = (mask: Uint8Array) =>
    mask.map((_, i) => mask[i - (i % OBJECT_MASK_SIDE) + OBJECT_MASK_SIDE - 1 - (i % OBJECT_MASK_SIDE)]!)
  return { ...image, pixels, boxes, masks: image.masks.map(turned) }
}
