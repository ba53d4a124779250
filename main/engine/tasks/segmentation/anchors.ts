/** Anchors of a feature pyramid (Lin et al. 2017, section 4.1): one size a level, three shapes, P2 to P6. */

export const RATIOS = [0.5, 1, 2] as const
const LEVELS = 5

/** A level of the pyramid: `side × side` positions, `stride` pixels apart. */
export type Level = { readonly stride: number; readonly side: number; readonly anchors: number }

/** P2 to P6 of square images of side `imageSize`, the finest with stride `finest`. */
export const levelsOf = (imageSize: number, finest: number): Level[] =>
  Array.from({ length: LEVELS }, (_, i) => {
    const stride = finest * 2 ** i
    const side = Math.ceil(imageSize / stride)
    return { stride, side, anchors: side * side * RATIOS.length }
  })

/**
 * All anchors `[anchors, 4]` as y₁, x₁, y₂, x₂ in pixels, by level, row, column, shape. Their area is that of a square
 * with `scale` strides a side; a ratio is height over width.
 */
export const anchorBoxes = (levels: readonly Level[], scale: number): Float32Array => {
  const boxes = new Float32Array(4 * levels.reduce((sum, { anchors }) => sum + anchors, 0))
  let at = 0
  for (const { stride, side } of levels)
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++)
        for (const ratio of RATIOS) {
          const [y, x] = [(row + 0.5) * stride, (column + 0.5) * stride]
          const height = scale * stride * Math.sqrt(ratio)
          const width = height / ratio
          boxes.set([y - height / 2, x - width / 2, y + height / 2, x + width / 2], at)
          at += 4
        }
  return boxes
}
