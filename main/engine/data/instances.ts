import type { Box, Rle } from '../metrics/mask.ts'

/** One object of an image, in that image's pixels. */
export type Instance = {
  readonly id: number
  /** Index into the set's categories. */
  readonly category: number
  readonly box: Box
  /** Pixels, as the data set states them. */
  readonly area: number
  /** A group outlined as one: neither trained on nor counted, but detections in it are no errors. */
  readonly crowd: boolean
  readonly mask: Rle
}

export type AnnotatedImage = {
  readonly id: number
  readonly height: number
  readonly width: number
  /** Where it comes from, for messages. */
  readonly source: string
  /** Its objects; masks are made anew at each call. */
  instances(): Instance[]
  /** Its pixels, `[height, width, 3]` bytes, or resized to `[toHeight, toWidth, 3]`. */
  pixels(toHeight?: number, toWidth?: number): Promise<Uint8Array>
}

/** Images with the outlines of their objects. */
export type InstanceSet = {
  readonly categories: readonly string[]
  readonly images: readonly AnnotatedImage[]
}
