/**
 * Scenes of several shapes, for instance segmentation: drawn from a seed, nothing to download, masks known exactly. The
 * same outlines, textures and ground as the pictures of one shape; nearer shapes hide parts of those behind.
 */
import sharp from 'sharp'
import { createRandom, type Random } from '../../../../shared/random.ts'
import { encodeMask, maskArea, maskBox, type Box, type Rle } from '../../metrics/mask.ts'
import type { AnnotatedImage, Instance, InstanceSet } from '../instances.ts'
import {
  between,
  barOutline,
  covered,
  paintGround,
  pose,
  randomColour,
  shapeColour,
  shapeTexture,
  toneOf,
} from './brush.ts'
import { createCanvas, develop, lay, randomTexture } from './canvas.ts'
import { OUTLINES, SHAPE_NAMES } from './outlines.ts'

export type SceneShape = {
  /** Index into SHAPE_NAMES. */
  readonly category: number
  /** The part that is seen: pixels covered by half or more, and by nothing nearer. */
  readonly mask: Rle
  readonly box: Box
  readonly area: number
}
/** `pixels` is `[side, side, 3]` bytes. */
export type Scene = {
  readonly side: number
  readonly pixels: Uint8Array
  readonly shapes: readonly SceneShape[]
}

/** Shapes a scene tries to hold: one that finds no room is left out. */
const FEWEST = 2
const MOST = 6
/** Radius as a fraction of the side: small ones are the more frequent. */
const SMALLEST = 0.09
const LARGEST = 0.24
/** The least part of a shape that stays in sight. */
const SEEN = 0.55
const TRIES = 12

/** Paints a scene; the same generator state and side give the same bytes. */
export const paintScene = (side: number, random: Random): Scene => {
  // Textures and clutter as fine as the shapes are small. All clutter is bars: a block could pass for a shape.
  const unit = side / 64
  const canvas = createCanvas(side)
  const ground = paintGround(canvas, unit, random, [6, 8], barOutline)
  const layers = createLayers(side)

  for (let left = FEWEST + random.below(MOST - FEWEST + 1); left > 0; left--) {
    const category = random.below(SHAPE_NAMES.length)
    const name = SHAPE_NAMES[category]!
    const outline = OUTLINES[name](random)
    const size = random.next()
    const fraction = SMALLEST + (LARGEST - SMALLEST) * size * Math.sqrt(size)
    const sheet = layers.place(category, () => {
      const [x, y] = [place(random, side, fraction), place(random, side, fraction)]
      return covered(outline, pose(random, x, y, fraction * side, between(random, -0.1, 0.1)), side)
    })
    const colour = shapeColour(name, random, ground)
    const texture = shapeTexture(name, random, unit)
    const tone = toneOf(random, colour, 0.45)
    if (sheet) lay(canvas, sheet, texture, [colour, tone])
  }
  for (let left = random.below(4); left > 0; left--) {
    const sheet = layers.place(null, () => {
      const size = between(random, 2.5, 6) * unit
      const at = pose(random, between(random, 0, side), between(random, 0, side), size, random.next())
      return covered([barOutline(random)], at, side)
    })
    const front = randomColour(random)
    const texture = randomTexture(random, unit)
    const tone = toneOf(random, front, 0.4)
    if (sheet) lay(canvas, sheet, texture, [front, tone])
  }
  const pixels = new Uint8Array(side * side * 3)
  develop(canvas, random, between(random, 0.01, 0.05), pixels)
  return { side, pixels, shapes: layers.shapes() }
}

/** A centre from which a shape of `fraction` of the side stays inside but for its tips. */
const place = (random: Random, side: number, fraction: number): number =>
  side * between(random, 0.8 * fraction, 1 - 0.8 * fraction)

/** Who is in front at each pixel, and how much each shape has lost to those before it. */
const createLayers = (side: number) => {
  const front = new Int16Array(side * side).fill(-1)
  const placed: { readonly category: number; readonly whole: number; seen: number }[] = []

  /** What every shape would lose under `sheet`; null if one would lose too much. */
  const losses = (sheet: Float32Array): number[] | null => {
    const lost = placed.map(() => 0)
    sheet.forEach((cover, i) => {
      if (cover >= 0.5 && front[i]! >= 0) lost[front[i]!]! += 1
    })
    return placed.every(({ seen, whole }, n) => seen - lost[n]! >= SEEN * whole) ? lost : null
  }
  return {
    /** Puts a sheet in front at the first of a few places that leaves every shape in sight; null if there is none. */
    place: (category: number | null, draw: () => Float32Array): Float32Array | null => {
      for (let tries = 0; tries < TRIES; tries++) {
        const sheet = draw()
        const lost = losses(sheet)
        if (!lost) continue
        placed.forEach((shape, n) => (shape.seen -= lost[n]!))
        let whole = 0
        sheet.forEach((cover, i) => {
          if (cover < 0.5) return
          whole++
          front[i] = category === null ? -1 : placed.length
        })
        if (category !== null) placed.push({ category, whole, seen: whole })
        return sheet
      }
      return null
    },
    shapes: (): SceneShape[] =>
      placed.map(({ category }, n) => {
        const mask = encodeMask(
          front.map((shape) => Number(shape === n)),
          side,
          side,
        )
        return { category, mask, box: maskBox(mask), area: maskArea(mask) }
      }),
  }
}

/**
 * `count` scenes of a side of 64 to 256 pixels, painted when first asked for and then kept. `seed` names the set: more
 * scenes begin with the fewer, other seeds give others.
 */
export const shapeScenes = (count: number, side: number, seed: string): InstanceSet => {
  if (!(Number.isInteger(side) && side >= 64 && side <= 256))
    throw new Error(`scenes: needed a side of 64 to 256 pixels, got ${side}`)
  const image = (n: number): AnnotatedImage => {
    let painted: Scene | undefined
    const scene = () => (painted ??= paintScene(side, createRandom('scenes', seed, n)))
    return {
      id: n + 1,
      height: side,
      width: side,
      source: `scene ${n + 1} of "${seed}"`,
      instances: () =>
        scene().shapes.map((shape, i): Instance => ({ id: 100 * (n + 1) + i, crowd: false, ...shape })),
      pixels: async (height = side, width = side) => {
        const { pixels } = scene()
        if (height === side && width === side) return pixels
        return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
          .resize(width, height, { fit: 'fill' })
          .raw()
          .toBuffer()
      },
    }
  }
  return { categories: SHAPE_NAMES, images: Array.from({ length: count }, (_, n) => image(n)) }
}
