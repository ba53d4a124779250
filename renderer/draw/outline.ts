import type { GraphBox } from './graph.ts'

/** How far the sides of an aggregate's box are cut. */
const CUT = 8

/**
 * The outline of a node about its centre, as an SVG path. Corners say what kind it is: round for inputs and ops of one
 * operand, square for two, cut for aggregates.
 */
export const outline = ({ kind, width, height }: Pick<GraphBox, 'kind' | 'width' | 'height'>): string => {
  const [x, y] = [width / 2, height / 2]
  if (kind === 'aggregate') return `M${-x + CUT},${-y}H${x - CUT}L${x},0L${x - CUT},${y}H${-x + CUT}L${-x},0Z`
  const r = kind === 'binary' ? 4 : kind === 'output' ? 6 : y
  const corner = (toX: number, toY: number): string => `A${r},${r} 0 0 1 ${toX},${toY}`
  return (
    `M${-x + r},${-y}H${x - r}${corner(x, -y + r)}V${y - r}${corner(x - r, y)}` +
    `H${-x + r}${corner(-x, y - r)}V${-y + r}${corner(-x + r, -y)}Z`
  )
}
