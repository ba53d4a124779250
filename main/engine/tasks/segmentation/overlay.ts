/** Pictures of what was found beside what is there, as PNG. */
import fs from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { AnnotatedImage } from '../../data/instances.ts'
import type { Detection } from '../../metrics/coco.ts'
import { decodeMask, type Box, type Rle } from '../../metrics/mask.ts'

/** Side of one image in the picture, the gap between them, images a row: found on the left, truth on the right of each. */
const SIDE = 192
const GAP = 4
const A_ROW = 2
/** Detections below are not drawn. */
const DRAWN = 0.5

type Outline = { readonly category: number; readonly box: Box; readonly mask: Rle }

export const drawOverlay = async (
  images: readonly AnnotatedImage[],
  detections: readonly Detection[],
  folder: string,
  name: string,
): Promise<void> => {
  const tiles = await Promise.all(
    images.flatMap((image) => {
      const found = detections.filter((d) => d.image === image.id && d.score >= DRAWN && d.mask)
      return [
        tile(image, found as (Detection & { mask: Rle })[]),
        tile(
          image,
          image.instances().filter(({ crowd }) => !crowd),
        ),
      ]
    }),
  )
  const [columns, rows] = [2 * A_ROW, Math.ceil(images.length / A_ROW)]
  const step = SIDE + GAP
  const picture = sharp({
    create: { width: columns * step - GAP, height: rows * step - GAP, channels: 3, background: '#fff' },
  }).composite(
    tiles.map((pixels, i) => ({
      input: pixels,
      raw: { width: SIDE, height: SIDE, channels: 3 },
      left: (i % columns) * step,
      top: Math.floor(i / columns) * step,
    })),
  )
  const temporary = path.join(folder, `.${name}.tmp`)
  await fs.writeFile(temporary, await picture.png().toBuffer())
  await fs.rename(temporary, path.join(folder, name))
}

/** An image with its objects tinted and outlined, fitted into `[SIDE, SIDE, 3]`. */
const tile = async (image: AnnotatedImage, objects: readonly Outline[]): Promise<Buffer> => {
  const scale = SIDE / Math.max(image.height, image.width)
  const [height, width] = [image.height, image.width].map((side) => Math.max(1, Math.round(side * scale)))
  const pixels = new Uint8Array(await image.pixels(height, width))
  for (const object of objects) draw(pixels, height!, width!, scale, object)
  return sharp(pixels, { raw: { width: width!, height: height!, channels: 3 } })
    .resize(SIDE, SIDE, { fit: 'contain', position: 'left top', background: '#000' })
    .raw()
    .toBuffer()
}

const draw = (pixels: Uint8Array, height: number, width: number, scale: number, object: Outline): void => {
  const colour = colourOf(object.category)
  const mask = decodeMask(object.mask)
  const { height: maskHeight, width: maskWidth } = object.mask
  const [left, top, boxWidth, boxHeight] = object.box.map((value) => value * scale) as [
    number,
    number,
    number,
    number,
  ]
  const edge = (value: number, from: number, length: number) =>
    Math.floor(value) === Math.floor(from) || Math.floor(value) === Math.floor(from + length - 1e-6)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const row = Math.min(maskHeight - 1, Math.floor((y + 0.5) / scale))
      const column = Math.min(maskWidth - 1, Math.floor((x + 0.5) / scale))
      const inside = x >= left - 1 && x < left + boxWidth && y >= top - 1 && y < top + boxHeight
      const outlined = inside && (edge(x, left, boxWidth) || edge(y, top, boxHeight))
      const part = outlined ? 1 : mask[row * maskWidth + column] ? 0.45 : 0
      for (let c = 0; c < 3 && part > 0; c++) {
        const at = 3 * (y * width + x) + c
        pixels[at] = Math.round(pixels[at]! * (1 - part) + colour[c]! * part)
      }
    }
}

/** Ten well apart (Tableau 10), again from the start where there are more categories. */
const COLOURS = '4e79a7 f28e2b e15759 76b7b2 59a14f edc948 b07aa1 ff9da7 9c755f bab0ac'.split(' ')
const colourOf = (category: number): number[] => {
  const hex = COLOURS[category % COLOURS.length]!
  return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16))
}
