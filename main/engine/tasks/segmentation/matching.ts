/**
 * Which anchors the proposal network trains on (Ren et al. 2015, section 3.1.2): fixed boxes against the objects of an
 * image, so it is done before the step. Boxes are y₁, x₁, y₂, x₂.
 */
import type { Random } from '../../../../shared/random.ts'

const OBJECT = 0.7
const BACKGROUND = 0.3
/** Overlaps that differ by no more are ties: rounding makes so much. */
const ROUNDING = 1e-5

/** Intersection over union of box `i` of `a` and box `j` of `b`. */
export const overlap = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
  const [p, q] = [4 * i, 4 * j]
  const height = Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!)
  const width = Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!)
  if (!(height > 0 && width > 0)) return 0
  const area = (boxes: Float32Array, at: number) =>
    (boxes[at + 2]! - boxes[at]!) * (boxes[at + 3]! - boxes[at + 1]!)
  const both = height * width
  return both / (area(a, p) + area(b, q) - both)
}

/**
 * The object that each anchor stands for, −1 for background, −2 for neither. An anchor stands for the object
 * that it overlaps most, from 0.7 on; every object's best anchors (ties all) stand for it in any case; below 0.3 with
 * all objects is background.
 */
export const matchAnchors = (anchors: Float32Array, objects: Float32Array): Int32Array => {
  const [count, most] = [anchors.length / 4, objects.length / 4]
  const matched = new Int32Array(count)
  const bestOfObject = new Float64Array(most)
  const table = new Float64Array(count * most)
  for (let a = 0; a < count; a++) {
    let [best, which] = [0, -1]
    for (let o = 0; o < most; o++) {
      const value = overlap(anchors, a, objects, o)
      table[a * most + o] = value
      if (value > best) [best, which] = [value, o]
      if (value > bestOfObject[o]!) bestOfObject[o] = value
    }
    matched[a] = best >= OBJECT ? which : best < BACKGROUND ? -1 : -2
  }
  for (let a = 0; a < count; a++)
    for (let o = 0; o < most; o++)
      if (table[a * most + o]! > 0 && table[a * most + o]! >= bestOfObject[o]! - ROUNDING) matched[a] = o
  return matched
}

/** Anchors drawn for the loss: `count` of them, the objects' first; `object` −1 is background, −2 fills up. */
export type AnchorSample = { readonly anchors: Int32Array; readonly object: Int32Array }

/** At most half of them objects, drawn at random; the rest background. */
export const sampleAnchors = (matched: Int32Array, count: number, random: Random): AnchorSample => {
  const of = (wanted: (object: number) => boolean) =>
    Array.from(matched.keys()).filter((anchor) => wanted(matched[anchor]!))
  const draw = (from: number[], most: number) => random.sample(from, most)
  const objects = draw(
    of((object) => object >= 0),
    Math.floor(count / 2),
  )
  const background = draw(
    of((object) => object === -1),
    count - objects.length,
  )
  const anchors = new Int32Array(count)
  const object = new Int32Array(count).fill(-2)
  ;[...objects, ...background].forEach((anchor, i) => {
    anchors[i] = anchor
    object[i] = matched[anchor]!
  })
  return { anchors, object }
}
