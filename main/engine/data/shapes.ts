/**
 * Shapes: the embedded data set, made from a seed. Textured, coloured, partly hidden outlines on cluttered
 * ground, at any size; the class is the outline alone, so that colours and mean brightness say nothing.
 */
import { createRandom, type Random } from '../../../shared/random.ts'
import type { DataConfig } from '../../../shared/records.ts'
import type { DataSet, ImageSet } from './dataset.ts'
import { OUTLINES, type Outline } from './outlines.ts'

type Colour = readonly [number, number, number]
type Texture = (x: number, y: number) => Colour
const NAMES = Object.keys(OUTLINES)
/** Sub-samples a side for a pixel's coverage. */
const SAMPLES = 3

const colour = (random: Random): Colour => [random.next(), random.next(), random.next()]
const distance = (a: Colour, b: Colour): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
const mix = (a: Colour, b: Colour, t: number): Colour => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
]

/** Plain, gradient, stripes or checks between a colour and a near one; coordinates in 0..1. */
const texture = (base: Colour, random: Random): Texture => {
  const other = mix(base, colour(random), 0.35)
  const angle = random.next() * Math.PI
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const frequency = 3 + 6 * random.next()
  const kind = random.below(4)
  return (x, y) => {
    const along = x * cos + y * sin
    if (kind === 0) return base
    if (kind === 1) return mix(base, other, Math.min(1, Math.max(0, along)))
    const stripe = Math.floor(along * frequency)
    if (kind === 2) return stripe % 2 === 0 ? base : other
    return (stripe + Math.floor((y * cos - x * sin) * frequency)) % 2 === 0 ? base : other
  }
}

/** A blob or bar somewhere: clutter behind the shape, or an occluder before it. */
const debris = (random: Random, size: number): { inside: Outline; fill: Texture } => {
  const [x, y, angle] = [random.next(), random.next(), random.next() * Math.PI]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [long, short] = [size * (0.5 + random.next()), size * (0.15 + 0.3 * random.next())]
  const inside: Outline = (u, v) =>
    Math.abs((u - x) * cos + (v - y) * sin) < long && Math.abs((v - y) * cos - (u - x) * sin) < short
  return { inside, fill: texture(colour(random), random) }
}

const coverage = (inside: Outline, px: number, py: number, size: number): number => {
  let hits = 0
  for (let i = 0; i < SAMPLES; i++)
    for (let j = 0; j < SAMPLES; j++)
      if (inside((px + (i + 0.5) / SAMPLES) / size, (py + (j + 0.5) / SAMPLES) / size)) hits++
  return hits / (SAMPLES * SAMPLES)
}

const draw = (label: number, size: number, random: Random, into: Uint8Array, offset: number): void => {
  const ground = colour(random)
  let base = colour(random)
  while (distance(base, ground) < 0.45) base = colour(random)
  const back = texture(ground, random)
  const fill = texture(base, random)
  const scale = 0.24 + 0.14 * random.next()
  const [cx, cy] = [0.5 + 0.2 * (random.next() - 0.5), 0.5 + 0.2 * (random.next() - 0.5)]
  const angle = (random.next() - 0.5) * 2 * Math.PI
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale]
  const outline = OUTLINES[NAMES[label]!]!
  const shape: Outline = (x, y) => outline((x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin)
  const clutter = Array.from({ length: 2 + random.below(3) }, () => debris(random, 0.16))
  const occluders = Array.from({ length: random.below(2) }, () => debris(random, 0.14))
  const light = [0.3 * (random.next() - 0.5), 0.3 * (random.next() - 0.5)] as const

  for (let py = 0; py < size; py++)
    for (let px = 0; px < size; px++) {
      const [x, y] = [(px + 0.5) / size, (py + 0.5) / size]
      let value = back(x, y)
      const over = (inside: Outline, paint: Texture): void => {
        const share = coverage(inside, px, py, size)
        if (share > 0) value = mix(value, paint(x, y), share)
      }
      for (const piece of clutter) over(piece.inside, piece.fill)
      over(shape, fill)
      for (const piece of occluders) over(piece.inside, piece.fill)
      const gain = 1 + light[0] * (x - 0.5) + light[1] * (y - 0.5)
      for (let c = 0; c < 3; c++) {
        const noisy = value[c]! * gain + 0.03 * random.normal()
        into[offset + (py * size + px) * 3 + c] = Math.round(255 * Math.min(1, Math.max(0, noisy)))
      }
    }
}

/** `count` images, classes in turn; the split's name keeps training and validation apart. */
export const drawShapes = (count: number, size: number, split: string): ImageSet => {
  const images = new Uint8Array(count * size * size * 3)
  const labels = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    labels[n] = n % NAMES.length
    draw(labels[n]!, size, createRandom('shapes', split, n), images, n * size * size * 3)
  }
  return { images, labels, count }
}

/** Training images when the config asks for all of them. */
const DEFAULT_TRAINING = 10_000

export const countShapes = (config: DataConfig): { classes: string[]; images: number } => ({
  classes: NAMES,
  images: config.validationImages + (config.trainingImages || DEFAULT_TRAINING),
})

export const loadShapes = (config: DataConfig): DataSet => ({
  classes: NAMES,
  imageSize: config.imageSize,
  training: drawShapes(config.trainingImages || DEFAULT_TRAINING, config.imageSize, 'training'),
  validation: drawShapes(config.validationImages, config.imageSize, 'validation'),
})
