import type { Pen } from './marks.ts'
import type { LineageLayout } from './lineage.ts'
import type { SceneLink } from './scene.ts'

export type CurvePen = Pen & {
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void
  quadraticCurveTo(ax: number, ay: number, x: number, y: number): void
}

/** Pixels over which a branch leaves its parent's row. */
const TURN = 14

/** More links than this by score are straight: no curve is seen among so many, and each costs. */
export const MOST_CURVES = 2000

/**
 * The line from a parent to a child. In the family tree it leaves the parent's row at once and runs along the child's
 * own, where nothing else is; by score it is one soft curve, or `straight` where thousands overlap.
 */
export const traceLink = (layout: LineageLayout, link: SceneLink, pen: CurvePen, straight = false): void => {
  const { x0, y0, x1, y1 } = link
  pen.moveTo(x0, y0)
  if (y0 === y1 || (straight && layout === 'score')) {
    pen.lineTo(x1, y1)
    return
  }
  if (layout === 'score') {
    const middle = (x0 + x1) / 2
    pen.bezierCurveTo(middle, y0, middle, y1, x1, y1)
    return
  }
  const turn = Math.min(TURN, (x1 - x0) / 2, Math.abs(y1 - y0))
  // Below a few pixels a corner looks the same as an arc and costs a fraction.
  if (turn < 3) pen.lineTo(x0, y1)
  else {
    const side = Math.sign(y1 - y0)
    pen.lineTo(x0, y1 - side * turn)
    pen.quadraticCurveTo(x0, y1, x0 + turn, y1)
  }
  pen.lineTo(x1, y1)
}
