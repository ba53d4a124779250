import type { Random } from '../../../../shared/random.ts'
import { direction, type Contour } from './raster.ts'

/** The ten classes, in the order of their labels. */
export const SHAPE_NAMES = [
  'disc',
  'ring',
  'triangle',
  'square',
  'pentagon',
  'star',
  'cross',
  'crescent',
  'heart',
  'arrow',
] as const
export type ShapeName = (typeof SHAPE_NAMES)[number]

const CURVE_POINTS = 32

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.next()

/** Points on a circle, from the top, clockwise (y points down). */
const around = (count: number, radius: (i: number) => number): Contour =>
  Array.from({ length: count }, (_, i) => direction(i / count - 0.25).map((v) => v * radius(i))).flat()

/** The same outline run the other way: a hole. */
const reversed = (contour: Contour): Contour =>
  contour.map((_, i) => contour[contour.length - 2 - (i & ~1) + (i & 1)]!)

const circle = (radius: number): Contour => around(CURVE_POINTS, () => radius)

/** A moon: the outer half circle down, a flatter arc back up. */
const crescent = (depth: number): Contour => {
  const points = CURVE_POINTS / 2
  const outer = Array.from({ length: points + 1 }, (_, i) => direction(i / points / 2 - 0.25))
  const inner = [...outer].reverse().slice(1, -1)
  const shift = -0.45
  return [...outer.map(([x, y]) => [x + shift, y]), ...inner.map(([x, y]) => [x * depth + shift, y])].flat()
}

/** Two lobes and a point: half circles on the shoulders, then cubic sides to the tip. */
const heart = (tip: number): Contour => {
  const points: number[] = []
  const lobe = CURVE_POINTS / 4
  for (const centre of [-0.5, 0.5])
    for (let i = 0; i <= lobe; i++) {
      const [x, y] = direction(-0.5 + i / lobe / 2)
      if (centre < 0 || i > 0) points.push(centre + 0.5 * x, -0.35 + 0.55 * y)
    }
  const side = (t: number, mirror: number) => {
    // Bézier curve (1, -0.35), (1, 0.15), (0.45, 0.45), (0, tip).
    const u = 1 - t
    const x = u * u * u + 3 * u * u * t + 3 * u * t * t * 0.45
    const y = -0.35 * u * u * u + 0.45 * u * u * t + 1.35 * u * t * t + tip * t * t * t
    points.push(mirror * x, y)
  }
  for (let i = 1; i <= 6; i++) side(i / 6, 1)
  for (let i = 5; i >= 1; i--) side(i / 6, -1)
  return points
}

/**
 * One outline of each class, upright, its centre near (0, 0) and its farthest point about 1 away. Proportions vary
 * from drawing to drawing; pose (turn, size, place) is the caller's.
 */
export const OUTLINES: Readonly<Record<ShapeName, (random: Random) => Contour[]>> = {
  disc: () => [circle(0.9)],
  ring: (random) => [circle(0.95), reversed(circle(between(random, 0.45, 0.65)))],
  triangle: () => [around(3, () => 1.05)],
  square: (random) => {
    const h = between(random, 0.7, 0.8)
    return [[-h, -h, h, -h, h, h, -h, h]]
  },
  pentagon: () => [around(5, () => 1)],
  star: (random) => {
    const inner = between(random, 0.36, 0.48)
    return [around(10, (i) => (i % 2 === 0 ? 1.1 : inner))]
  },
  cross: (random) => {
    const arm = between(random, 0.24, 0.36)
    // One corner's three points, turned by quarters.
    return [
      [
        [arm, -1, arm, -arm, 1, -arm],
        [1, arm, arm, arm, arm, 1],
        [-arm, 1, -arm, arm, -1, arm],
        [-1, -arm, -arm, -arm, -arm, -1],
      ].flat(),
    ]
  },
  crescent: (random) => [crescent(between(random, 0.1, 0.4))],
  heart: (random) => [heart(between(random, 0.9, 1.05))],
  arrow: (random) => {
    const shaft = between(random, 0.2, 0.3)
    const neck = between(random, -0.1, 0.1)
    return [[0, -1, 0.75, neck, shaft, neck, shaft, 1, -shaft, 1, -shaft, neck, -0.75, neck]]
  },
}
