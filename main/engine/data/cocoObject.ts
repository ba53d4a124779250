/** One annotation of COCO's instances format, checked, and cut to its image. */
import type { Box, Rle } from '../metrics/mask.ts'
import { maskArea, parseCounts, requireFull } from '../metrics/mask.ts'
import { gridMask, onGrid, type GridPolygon } from '../metrics/polygon.ts'
import type { Checker } from './checker.ts'
import type { Instance } from './instances.ts'
import { outlineOf, type Outline } from './outline.ts'

export type Json = Readonly<Record<string, unknown>>

export type CocoObject = Omit<Instance, 'mask'> & { readonly outline: Outline }

/** Or why nothing of it is left. */
export const readObject = (
  annotation: Json,
  category: number,
  image: { readonly id: number; readonly height: number; readonly width: number },
  check: Checker,
): CocoObject | 'outside' | 'empty' => {
  const id = annotation['id'] as number
  const who = `image ${image.id}, annotation ${id}`
  const crowd = annotation['iscrowd'] ?? 0
  if (crowd !== 0 && crowd !== 1) check.fail(`${who}: iscrowd`, '0 or 1', crowd)
  const box = boxOf(annotation['bbox'], `${who}: bbox`, check)
  const area = check.finite(annotation['area'], `${who}: area`)
  const { mask, polygons } = segment(annotation['segmentation'], image, who, check)
  const clipped = clipBox(box, image)
  if (clipped === null) return 'outside'
  if (maskArea(mask) === 0) return 'empty'
  return { id, category, box: clipped, area, crowd: crowd === 1, outline: outlineOf(mask, polygons) }
}

/** What of a box lies in the image, as its mask does by itself; null where nothing does. */
const clipBox = (
  [x, y, width, height]: Box,
  image: { readonly height: number; readonly width: number },
): Box | null => {
  const [left, top] = [Math.max(0, x), Math.max(0, y)]
  const [right, bottom] = [Math.min(image.width, x + width), Math.min(image.height, y + height)]
  // A box that was inside stays the same to the last bit.
  const clipped: Box = [
    left,
    top,
    left === x && right === x + width ? width : right - left,
    top === y && bottom === y + height ? height : bottom - top,
  ]
  return clipped[2] > 0 && clipped[3] > 0 ? clipped : null
}

const boxOf = (value: unknown, who: string, check: Checker): Box => {
  const [x, y, width, height] = check.array(value, who).map((v) => check.finite(v, who))
  if (
    x === undefined ||
    y === undefined ||
    width === undefined ||
    height === undefined ||
    width < 0 ||
    height < 0
  )
    return check.fail(who, '[x, y, width, height]', value)
  return [x, y, width, height]
}

/** Polygons, or run lengths plain or compressed. */
const segment = (
  value: unknown,
  { height, width }: { readonly height: number; readonly width: number },
  who: string,
  check: Checker,
): { readonly mask: Rle; readonly polygons: readonly GridPolygon[] | null } => {
  const what = `${who}: segmentation`
  try {
    if (Array.isArray(value)) {
      const polygons = value.map((polygon) =>
        onGrid(check.array(polygon, what).map((v) => check.finite(v, what))),
      )
      return { mask: gridMask(polygons, height, width), polygons }
    }
    const { size, counts } = check.object(value, what)
    const [h, w] = check.array(size, `${who}: segmentation.size`)
    if (h !== height || w !== width)
      check.fail(`${who}: segmentation.size`, `the image's [${height}, ${width}]`, JSON.stringify(size))
    if (typeof counts === 'string') return { mask: parseCounts(counts, height, width), polygons: null }
    const mask = requireFull({
      height,
      width,
      counts: check
        .array(counts, `${who}: segmentation.counts`)
        .map((v) => check.finite(v, `${who}: segmentation.counts`)),
    })
    return { mask, polygons: null }
  } catch (error) {
    const { message } = error as Error
    throw message.startsWith(check.who)
      ? error
      : new Error(`${check.who}: ${who}: ${message}`, { cause: error })
  }
}
