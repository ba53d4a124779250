/** Boxes as tensors `[…, 4]` of y₁, x₁, y₂, x₂ in pixels of the square image. */
import { select } from '../../gradients/elementwise.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** Deltas beyond this would make boxes without bound (Detectron's 1000 pixels over 16). */
const MOST_GROWTH = Math.log(1000 / 16)

type Four = readonly [Tensor, Tensor, Tensor, Tensor]
const parts = (boxes: Tensor): Four => {
  const { tf } = loadRuntime()
  const last = boxes.shape.length - 1
  const begin = (i: number) => boxes.shape.map((_, axis) => (axis === last ? i : 0))
  const size = [...boxes.shape.slice(0, -1), 1]
  return [0, 1, 2, 3].map((i) => tf.slice(boxes, begin(i), size)) as unknown as Four
}
const joined = (four: Four): Tensor => loadRuntime().tf.concat([...four], four[0].shape.length - 1)

/**
 * The deltas that turn boxes into targets: shift of the centre in sides, logarithm of the sides' ratio (Girshick et al.
 * 2014, appendix C), each times its weight: dy, dx, dh, dw.
 */
export const encodeBoxes = (boxes: Tensor, targets: Tensor, [position, extent]: Weights): Tensor => {
  const { tf } = loadRuntime()
  const [from, to] = [centred(boxes), centred(targets)]
  const shift = (i: 0 | 1) =>
    to[i]
      .sub(from[i])
      .div(from[i === 0 ? 2 : 3])
      .mul(position)
  const growth = (i: 2 | 3) => tf.log(to[i].div(from[i])).mul(extent)
  return joined([shift(0), shift(1), growth(2), growth(3)])
}
export type Weights = readonly [position: number, extent: number]

/** The inverse of `encodeBoxes`. */
export const decodeBoxes = (boxes: Tensor, deltas: Tensor, [position, extent]: Weights): Tensor => {
  const { tf } = loadRuntime()
  const [y, x, height, width] = centred(boxes)
  const [dy, dx, dh, dw] = parts(deltas)
  const side = (from: Tensor, d: Tensor) => from.mul(tf.exp(tf.minimum(d.div(extent), MOST_GROWTH)))
  const [toHeight, toWidth] = [side(height, dh), side(width, dw)]
  const [toY, toX] = [y.add(dy.div(position).mul(height)), x.add(dx.div(position).mul(width))]
  const [halfHeight, halfWidth] = [toHeight.mul(0.5), toWidth.mul(0.5)]
  return joined([toY.sub(halfHeight), toX.sub(halfWidth), toY.add(halfHeight), toX.add(halfWidth)])
}

/** Centre and sides, never under a thousandth of a pixel: padding is empty boxes. */
const centred = (boxes: Tensor): Four => {
  const { tf } = loadRuntime()
  const [top, left, bottom, right] = parts(boxes)
  const side = (from: Tensor, to: Tensor) => tf.maximum(to.sub(from), 1e-3)
  return [top.add(bottom).mul(0.5), left.add(right).mul(0.5), side(top, bottom), side(left, right)]
}

/** Boxes cut off at the edges of an image of side `side`. What is not a number becomes 0: the losses tell of it. */
export const clipBoxes = (boxes: Tensor, side: number): Tensor => {
  const { tf } = loadRuntime()
  const numbers = select(tf.equal(boxes, boxes), boxes, tf.scalar(0))
  return tf.minimum(tf.maximum(numbers, 0), side)
}

/** Intersection over union of boxes `[n, a, 4]` and `[n, b, 4]`: `[n, a, b]`; 0 where either is empty. */
export const overlaps = (a: Tensor, b: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const [top, left, bottom, right] = parts(a)
  const [n, count] = b.shape as [number, number]
  const across = parts(b).map((part) => part.reshape([n, 1, count]))
  const [top2, left2, bottom2, right2] = across as unknown as Four
  const length = (from: Tensor, to: Tensor) => tf.maximum(to.sub(from), 0)
  const both = length(tf.maximum(top, top2), tf.minimum(bottom, bottom2)).mul(
    length(tf.maximum(left, left2), tf.minimum(right, right2)),
  )
  const area = length(top, bottom).mul(length(left, right))
  const area2 = length(top2, bottom2).mul(length(left2, right2))
  return both.div(tf.maximum(area.add(area2).sub(both), 1e-6))
}
