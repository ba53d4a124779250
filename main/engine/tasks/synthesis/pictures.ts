/** Grids of small images as PNG. */
import path from 'node:path'
import sharp from 'sharp'
import { writeWhole } from '../../../files.ts'

/** Pixels between images, and the least side that an image is shown at. */
const GAP = 2
const SHOWN = 64

/**
 * Writes images of bytes `[rows · columns, side, side, 3]`, row by row, as one picture. Small ones are shown larger, pixel
 * by pixel.
 */
export const writeGrid = async (
  file: string,
  images: Uint8Array,
  columns: number,
  side: number,
): Promise<void> => {
  const bytes = side * side * 3
  const rows = images.length / bytes / columns
  const step = side + GAP
  const [width, height] = [columns * step - GAP, rows * step - GAP]
  const pixels = new Uint8Array(width * height * 3).fill(255)
  for (let n = 0; n < rows * columns; n++)
    for (let y = 0; y < side; y++) {
      const to = (Math.floor(n / columns) * step + y) * width + (n % columns) * step
      const from = n * bytes + y * side * 3
      pixels.set(images.subarray(from, from + side * 3), to * 3)
    }
  const scale = Math.max(1, Math.round(SHOWN / side))
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(width * scale, height * scale, { kernel: 'nearest' })
    .png()
    .toBuffer()
  writeWhole(path.resolve(file), 'picture', [png])
}
