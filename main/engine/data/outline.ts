/** How an object's mask is kept while its file is in use: millions of them need to fit into memory. */
import { countsText, numbersOf, numbersText, parseCounts, type Rle } from '../metrics/mask.ts'
import { gridMask, type GridPolygon } from '../metrics/polygon.ts'

/** The text of its run lengths or those of its polygons' points, whichever is shorter; a character is a byte. */
export type Outline = string | readonly string[]

/** `polygons` null: it came as run lengths. A scribble of sixty numbers may have ten thousand runs. */
export const outlineOf = (mask: Rle, polygons: readonly GridPolygon[] | null): Outline => {
  if (!polygons) return countsText(mask)
  const texts = polygons.map(numbersText)
  const characters = outlineBytes(texts)
  // A run takes a character at least: texts that can't be the shorter ones are not made.
  if (characters <= mask.counts.length) return texts
  const runs = countsText(mask)
  return characters < runs.length ? texts : runs
}

/** The mask again, to the last pixel. */
export const maskOfOutline = (outline: Outline, height: number, width: number): Rle =>
  typeof outline === 'string'
    ? parseCounts(outline, height, width)
    : gridMask(
        outline.map((text) => numbersOf(text).map((value) => value | 0)),
        height,
        width,
      )

export const outlineBytes = (outline: Outline): number =>
  typeof outline === 'string' ? outline.length : outline.reduce((sum, { length }) => sum + length, 0)
