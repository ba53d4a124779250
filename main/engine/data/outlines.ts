/** The ten outlines of the Shapes data set: whether a point of the unit disc's plane lies inside. */
export type Outline = (u: number, v: number) => boolean

const polar =
  (radius: (angle: number) => number): Outline =>
  (u, v) =>
    Math.hypot(u, v) < radius(Math.atan2(v, u))
const regular = (corners: number): Outline => {
  const half = Math.PI / corners
  return polar((angle) => Math.cos(half) / Math.cos((((angle % (2 * half)) + 2 * half) % (2 * half)) - half))
}

export const OUTLINES: Readonly<Record<string, Outline>> = {
  disc: (u, v) => u * u + v * v < 0.8,
  ring: (u, v) => u * u + v * v < 1 && u * u + v * v > 0.3,
  triangle: regular(3),
  square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.75,
  star: polar((angle) => 0.45 + 0.55 * Math.abs(Math.cos(2.5 * angle)) ** 3),
  cross: (u, v) => Math.min(Math.abs(u), Math.abs(v)) < 0.28 && Math.max(Math.abs(u), Math.abs(v)) < 0.95,
  crescent: (u, v) => u * u + v * v < 1 && (u - 0.5) ** 2 + v * v > 0.55,
  heart: (u, v) => (u * u * 1.4 + v * v * 1.4 - 0.8) ** 3 - u * u * v * v * v * 3 < 0,
  arrow: (u, v) => (u > 0.05 ? Math.abs(v) < 0.85 * (1 - u) : u > -0.95 && Math.abs(v) < 0.25),
  bars: (u, v) => Math.abs(v) < 0.9 && Math.abs(u) < 0.75 && Math.abs(u) > 0.25,
}
