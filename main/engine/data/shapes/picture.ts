import type { Random } from '../../../../shared/random.ts'
import {
  between,
  clutterOutline,
  covered,
  paintGround,
  pose,
  randomColour,
  shapeColour,
  shapeTexture,
  toneOf,
} from './brush.ts'
import { createCanvas, develop, lay, randomTexture } from './canvas.ts'
import { OUTLINES, type ShapeName } from './outlines.ts'
import { direction } from './raster.ts'

/**
 * Paints one picture of `name`, `[side, side, 3]` bytes, into `out`: a ground with clutter, the shape (any colour
 * and texture, moved, turned, sized and stretched), something in front of part of it, uneven light and noise.
 */
export const paintPicture = (name: ShapeName, side: number, random: Random, out: Uint8Array): void => {
  const unit = side / 32
  const canvas = createCanvas(side)
  const ground = paintGround(canvas, unit, random, [2, 4], clutterOutline)

  const colour = shapeColour(name, random, ground)
  const radius = between(random, 8.5, 13) * unit
  const room = side / 2 - 0.85 * radius
  const x = side / 2 + room * (random.next() + random.next() - 1)
  const y = side / 2 + room * (random.next() + random.next() - 1)
  const outline = OUTLINES[name](random)
  const mask = new Float32Array(side * side)
  covered(outline, pose(random, x, y, radius, between(random, -0.1, 0.1)), side, mask)
  lay(canvas, mask, shapeTexture(name, random, unit), [colour, toneOf(random, colour, 0.45)], 1)

  for (let left = random.below(3); left > 0; left--) {
    const [cos, sin] = direction(random.next())
    const away = between(random, 0.5, 1.1) * radius
    const front = randomColour(random)
    const piece = clutterOutline(random)
    const size = between(random, 0.35, 0.6) * radius
    covered([piece], pose(random, x + cos * away, y + sin * away, size, random.next()), side, mask)
    lay(canvas, mask, randomTexture(random, unit), [front, toneOf(random, front, 0.4)])
  }
  develop(canvas, random, between(random, 0.01, 0.06), out)
}
