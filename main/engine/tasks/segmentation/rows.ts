import { gatherRows } from '../../gradients/detection.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** Picks rows: `x` `[batch, n, …]`, `indices` `[batch, k]` below n → `[batch, k, …]`. */
export const batched = (x: Tensor, indices: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const [batch, n] = x.shape as [number, number]
  const starts = tf.tensor2d(
    Int32Array.from({ length: batch }, (_, i) => i * n),
    [batch, 1],
    'int32',
  )
  return gatherRows(x.reshape([batch * n, ...x.shape.slice(2)]), indices.add(starts))
}

/** The image that each of `count` regions an image belongs to, `[batch · count]`. */
export const imageOf = (batch: number, count: number): Tensor =>
  loadRuntime().tf.tensor1d(
    Int32Array.from({ length: batch * count }, (_, i) => Math.floor(i / count)),
    'int32',
  )
