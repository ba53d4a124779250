import type { Random } from '../../../../shared/random.ts'
import { direction } from './raster.ts'

/** Red, green, blue, 0..1. */
export type Colour = readonly [number, number, number]

/** A square picture, `[side, side, 3]` interleaved, 0..1. */
export type Canvas = { readonly side: number; readonly pixels: Float32Array }

/** How much of the second of two colours a point has, 0..1; `x`, `y` in pixels. */
export type Texture = (x: number, y: number) => number

export const createCanvas = (side: number): Canvas => ({ side, pixels: new Float32Array(side * side * 3) })

const clamp = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value)

/** Lays a textured sheet over the canvas where `mask` (`[side, side]`, 0..1) covers it; no mask: everywhere. */
export const lay = (
  { side, pixels }: Canvas,
  mask: Float32Array | null,
  texture: Texture,
  [first, second]: readonly [Colour, Colour],
  opacity = 1,
): void => {
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i++) {
      const covered = mask === null ? opacity : mask[i]! * opacity
      if (covered === 0) continue
      const t = texture(x + 0.5, y + 0.5)
      for (let c = 0; c < 3; c++) {
        const old = pixels[3 * i + c]!
        pixels[3 * i + c] = old + covered * (first[c]! + t * (second[c]! - first[c]!) - old)
      }
    }
}

/** A soft-edged square wave of period 1: 0, then 1 for `duty` of the period. */
const wave = (t: number, duty: number, softness: number): number => {
  const phase = t - Math.floor(t)
  const fromEdge = Math.min(Math.abs(phase - duty), phase, 1 - phase)
  const edge = Math.min(1, fromEdge / softness) / 2
  return phase < duty ? 0.5 + edge : 0.5 - edge
}

const rotated = (random: Random, period: number) => {
  const [cos, sin] = direction(random.next())
  const shift = [random.next(), random.next()] as const
  return (x: number, y: number) =>
    [(cos * x + sin * y) / period + shift[0], (cos * y - sin * x) / period + shift[1]] as const
}

/** Random heights on a lattice, blended linearly between its points. */
const cloud = (random: Random, period: number): Texture => {
  const heights = Float32Array.from({ length: 64 }, () => random.next())
  const at = (column: number, row: number) => heights[(column & 7) | ((row & 7) << 3)]!
  const place = rotated(random, period)
  return (x, y) => {
    const [u, v] = place(x, y)
    const column = Math.floor(u)
    const row = Math.floor(v)
    const s = u - column
    const t = v - row
    const top = at(column, row) + s * (at(column + 1, row) - at(column, row))
    const bottom = at(column, row + 1) + s * (at(column + 1, row + 1) - at(column, row + 1))
    return top + t * (bottom - top)
  }
}

/** The kinds of texture; `unit` is a 32nd of the picture's side in pixels. */
const TEXTURES = {
  plain: () => () => 0,
  stripes: (random, unit) => {
    const duty = 0.35 + 0.3 * random.next()
    const place = rotated(random, (3 + 3 * random.next()) * unit)
    return (x, y) => wave(place(x, y)[0], duty, 0.12)
  },
  checks: (random, unit) => {
    const place = rotated(random, (4 + 4 * random.next()) * unit)
    return (x, y) => {
      const [u, v] = place(x, y)
      const a = wave(u, 0.5, 0.12)
      const b = wave(v, 0.5, 0.12)
      return a + b - 2 * a * b
    }
  },
  dots: (random, unit) => {
    const period = (3 + 2.5 * random.next()) * unit
    const place = rotated(random, period)
    const radius = 0.25 + 0.1 * random.next()
    return (x, y) => {
      const [u, v] = place(x, y)
      const du = u - Math.floor(u) - 0.5
      const dv = v - Math.floor(v) - 0.5
      return clamp(0.5 + (radius - Math.sqrt(du * du + dv * dv)) * period)
    }
  },
  cloud: (random, unit) => cloud(random, (2 + 3 * random.next()) * unit),
  fade: (random, unit) => {
    const place = rotated(random, 32 * unit)
    return (x, y) => {
      const t = place(x, y)[0]
      return Math.abs(2 * (t - Math.floor(t)) - 1)
    }
  },
} satisfies Record<string, (random: Random, unit: number) => Texture>

export type TextureName = keyof typeof TEXTURES
const TEXTURE_NAMES = Object.keys(TEXTURES) as TextureName[]

export const textureOf = (name: TextureName, random: Random, unit: number): Texture =>
  TEXTURES[name](random, unit)

export const randomTexture = (random: Random, unit: number): Texture =>
  textureOf(random.pick(TEXTURE_NAMES), random, unit)

/** A wide soft texture, for grounds. */
export const randomGround = (random: Random, unit: number): Texture =>
  random.below(3) === 0 ? randomTexture(random, unit) : cloud(random, (5 + 8 * random.next()) * unit)

/**
 * Light that falls off across the picture, then noise from the sensor, then bytes. `strength` is the noise's
 * standard deviation; each draw is the sum of four bytes, near enough to a normal one, and exact everywhere.
 */
export const develop = (
  { side, pixels }: Canvas,
  random: Random,
  strength: number,
  out: Uint8Array,
): void => {
  const [cos, sin] = direction(random.next())
  const gain = 0.7 + 0.5 * random.next()
  const fall = (0.5 * random.next() * gain) / side
  const scale = strength / 147.8
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const light = gain + fall * (cos * (x - side / 2) + sin * (y - side / 2))
      for (let c = 0; c < 3; c++, i++) {
        const bits = random.below(4294967296)
        const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24)
        out[i] = Math.round(255 * clamp(pixels[i]! * light + (sum - 510) * scale))
      }
    }
}
