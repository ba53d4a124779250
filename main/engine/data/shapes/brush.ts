/** Chance in colours, poses and outlines: what pictures of one shape and scenes of several share. */
import type { Random } from '../../../../shared/random.ts'
import {
  lay,
  randomGround,
  randomTexture,
  textureOf,
  type Canvas,
  type Colour,
  type Texture,
  type TextureName,
} from './canvas.ts'
import type { ShapeName } from './outlines.ts'
import { coverage, direction, transformed, type Contour, type Transform } from './raster.ts'

export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random.next()

export const randomColour = (random: Random): Colour => [random.next(), random.next(), random.next()]

/**
 * How hard the set is, found by trial. More favourites: softmax regression on the pixels comes to 60 %; fewer: small
 * networks learn too little in a demo's 200 steps. Darker grounds make shapes stand out, sooner learnt by networks.
 */
const FAVOURED = 0.6
const GROUND_BRIGHTNESS = 0.4

/** Each class's favourite colour and texture, which a part of its pictures has (as skies go with ships). */
const FAVOURITES: Readonly<Record<ShapeName, readonly [Colour, TextureName]>> = {
  disc: [[1, 0.4, 0.3], 'plain'],
  ring: [[1, 0.75, 0.2], 'fade'],
  triangle: [[0.3, 0.85, 0.35], 'stripes'],
  square: [[0.35, 0.55, 1], 'checks'],
  pentagon: [[0.75, 0.45, 0.95], 'dots'],
  star: [[1, 0.95, 0.4], 'plain'],
  cross: [[0.95, 0.95, 0.95], 'stripes'],
  crescent: [[0.5, 0.9, 0.95], 'cloud'],
  heart: [[1, 0.45, 0.7], 'dots'],
  arrow: [[0.75, 0.6, 0.4], 'checks'],
}

const distance = (a: Colour, b: Colour): number =>
  Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)

/** A colour at least `contrast` away from all of `others` (of a few tries, the farthest). */
const colourAgainst = (random: Random, others: readonly Colour[], contrast: number): Colour => {
  let best = randomColour(random)
  let farthest = 0
  for (let tries = 0; tries < 12 && farthest < contrast; tries++) {
    const colour = randomColour(random)
    const nearest = Math.min(...others.map((other) => distance(colour, other)))
    if (nearest > farthest) [best, farthest] = [colour, nearest]
  }
  return best
}

/** A colour near another one: the two tones of a texture. */
export const toneOf = (random: Random, [r, g, b]: Colour, spread: number): Colour => {
  const move = (v: number) => Math.min(1, Math.max(0, v + spread * (2 * random.next() - 1)))
  return [move(r), move(g), move(b)]
}

/** Where and how an outline is drawn: turned, stretched, sized to `radius` pixels about a centre. */
export const pose = (random: Random, x: number, y: number, radius: number, turns: number): Transform => {
  const [cos, sin] = direction(turns)
  const stretch = between(random, 0.85, 1.18)
  const across = radius * stretch
  const along = radius / stretch
  return { a: across * cos, b: across * sin, c: -along * sin, d: along * cos, e: x, f: y }
}

/** A bar, from (-1, 0) to (1, 0) before it is posed. */
export const barOutline = (random: Random): Contour => {
  const thickness = between(random, 0.12, 0.3)
  return [-1, -thickness, 1, -thickness, 1, thickness, -1, thickness]
}

/** A bar or a block that lies about. */
export const clutterOutline = (random: Random): Contour => {
  if (random.below(2) === 0) return barOutline(random)
  const corners = 3 + random.below(4)
  return Array.from({ length: corners }, (_, i) => {
    const reach = between(random, 0.5, 1)
    return direction((i + 0.6 * random.next()) / corners).map((v) => v * reach)
  }).flat()
}

/** Coverage of contours in a pose, `[side, side]`, 0..1. */
export const covered = (
  contours: readonly Contour[],
  at: Transform,
  side: number,
  out = new Float32Array(side * side),
): Float32Array =>
  coverage(
    contours.map((contour) => transformed(contour, at)),
    side,
    side,
    out,
  )

/** Fills the canvas: a ground of two tones, which it returns, and `fewest + below(more)` pieces of clutter. */
export const paintGround = (
  canvas: Canvas,
  unit: number,
  random: Random,
  [fewest, more]: readonly [number, number],
  outline: (random: Random) => Contour,
): readonly [Colour, Colour] => {
  const { side } = canvas
  const [red, green, blue] = randomColour(random)
  const ground: Colour = [red * GROUND_BRIGHTNESS, green * GROUND_BRIGHTNESS, blue * GROUND_BRIGHTNESS]
  const groundTone = toneOf(random, ground, 0.35)
  lay(canvas, null, randomGround(random, unit), [ground, groundTone])
  const mask = new Float32Array(side * side)
  for (let left = fewest + random.below(more); left > 0; left--) {
    const colour = toneOf(random, random.below(2) === 0 ? ground : randomColour(random), 0.3)
    const [x, y] = [between(random, 0, side), between(random, 0, side)]
    const at = pose(random, x, y, between(random, 3, 8) * unit, random.next())
    covered([outline(random)], at, side, mask)
    const texture = randomTexture(random, unit)
    lay(canvas, mask, texture, [colour, toneOf(random, colour, 0.4)], between(random, 0.5, 1))
  }
  return [ground, groundTone]
}

/** A shape's colour: its class's favourite, or any that stands out from `others`. */
export const shapeColour = (name: ShapeName, random: Random, others: readonly Colour[]): Colour =>
  random.next() < FAVOURED ? toneOf(random, FAVOURITES[name][0], 0.15) : colourAgainst(random, others, 0.5)

/** A shape's texture: its class's favourite, or any. */
export const shapeTexture = (name: ShapeName, random: Random, unit: number): Texture =>
  random.next() < FAVOURED ? textureOf(FAVOURITES[name][1], random, unit) : randomTexture(random, unit)
