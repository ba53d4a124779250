import type { DataReport } from '../../../shared/data.ts'
import { pixelHash } from './copies.ts'
import type { Notes } from './notes.ts'

/** Images of one split: `count` images of `size`×`size`×3 bytes (rows, columns, RGB), and a class each. */
export type ImageSet = {
  readonly images: Uint8Array
  readonly labels: Uint8Array
  readonly count: number
}

export type DataSet = {
  readonly classes: readonly string[]
  readonly imageSize: number
  readonly training: ImageSet
  readonly validation: ImageSet
}

/** With what was found where it comes from. */
export type LoadedData = DataSet & { readonly report: DataReport }

/** Image numbers of the validation part, and of those that may be trained on. */
export type Parts = { readonly training: readonly number[]; readonly validation: readonly number[] }

/** The first `validation` of an order are held out. */
export const holdOut = (order: readonly number[], validation: number): Parts => {
  if (order.length <= validation)
    throw new Error(`data: ${validation} validation images leave none of ${order.length} for training`)
  return { validation: order.slice(0, validation), training: order.slice(validation) }
}

/** Tells images by more than the pixels that the networks see: those of an image, by its number. */
export type Identities = (image: number) => readonly string[]

/**
 * Splits images into training and validation. What is trained on is never validated on: copies of validation images are
 * left out of training. At most `most` images are trained on; 0 means all.
 */
export const split = (
  all: ImageSet,
  size: number,
  { training, validation }: Parts,
  most: number,
  notes: Notes,
  nameOf: (image: number) => string,
  identities: Identities = () => [],
): { readonly training: ImageSet; readonly validation: ImageSet } => {
  const bytes = size * size * 3
  const known = new Map<number, readonly string[]>()
  const told = (n: number): readonly string[] => {
    const found = known.get(n) ?? [
      pixelHash(all.images.subarray(n * bytes, (n + 1) * bytes)),
      ...identities(n),
    ]
    known.set(n, found)
    return found
  }
  const held = new Set(validation.flatMap(told))
  const apart = training.filter((n) => {
    if (!told(n).some((identity) => held.has(identity))) return true
    notes.add('training images left out, they are in validation, too', nameOf(n))
    return false
  })
  if (apart.length === 0)
    throw new Error(`data: all ${training.length} training images are in validation, too`)
  const used = most > 0 ? apart.slice(0, most) : apart
  noteCopies([...validation, ...used], told, all.labels, notes, nameOf)
  const take = (indices: readonly number[]): ImageSet => {
    const images = new Uint8Array(indices.length * bytes)
    const labels = new Uint8Array(indices.length)
    indices.forEach((from, to) => {
      images.set(all.images.subarray(from * bytes, (from + 1) * bytes), to * bytes)
      labels[to] = all.labels[from]!
    })
    return { images, labels, count: indices.length }
  }
  return { training: take(used), validation: take(validation) }
}

/** Copies within one part do no harm, unless their classes differ. */
const noteCopies = (
  used: readonly number[],
  told: Identities,
  labels: Uint8Array,
  notes: Notes,
  nameOf: (image: number) => string,
): void => {
  const first = new Map<string, number>()
  for (const n of used) {
    const twin = told(n)
      .map((identity) => first.get(identity))
      .find((found) => found !== undefined)
    if (twin === undefined) for (const identity of told(n)) first.set(identity, n)
    else if (labels[twin] === labels[n]) notes.add('images that are there more than once', nameOf(n))
    else notes.add('images that are there in several classes', `${nameOf(twin)} and ${nameOf(n)}`)
  }
}

/** How many images each class has, in both parts. */
export const classCounts = (
  classes: readonly string[],
  sets: readonly ImageSet[],
): { name: string; count: number }[] => {
  const counts = classes.map(() => 0)
  for (const { labels } of sets) for (const label of labels) counts[label]! += 1
  return classes.map((name, i) => ({ name, count: counts[i]! }))
}

/** Area-averages `count` square images from side `from` to side `to`, which must divide it. */
export const shrink = (images: Uint8Array, count: number, from: number, to: number): Uint8Array => {
  const factor = from / to
  if (!Number.isInteger(factor))
    throw new Error(`data: images of side ${from} need an image size that divides it, got ${to}`)
  if (factor === 1) return images
  const result = new Uint8Array(count * to * to * 3)
  const area = factor * factor
  for (let n = 0; n < count; n++)
    for (let y = 0; y < to; y++)
      for (let x = 0; x < to; x++)
        for (let c = 0; c < 3; c++) {
          let sum = 0
          for (let dy = 0; dy < factor; dy++)
            for (let dx = 0; dx < factor; dx++)
              sum += images[((n * from + y * factor + dy) * from + x * factor + dx) * 3 + c]!
          result[((n * to + y) * to + x) * 3 + c] = Math.round(sum / area)
        }
  return result
}
