import type { Tensor2D } from '@tensorflow/tfjs-node-gpu'
import type { Random } from '../../../../shared/random.ts'
import { attribute, loadRuntime, runOp, type Tensor, type Variable } from '../../runtime.ts'

/**
 * Orthogonal regularisation of the generator: Σ ‖WᵀW ⊙ (1 − I)‖²_F over its weights as matrices `[rest, outputs]`, which
 * asks filters to differ but leaves their lengths free. Source: Brock et al. 2019, equation 3.
 */
export const orthogonalPenalty = (weights: readonly Variable[]): Tensor => {
  const { tf } = loadRuntime()
  const terms = weights.map((weight): Tensor => {
    const outputs = weight.shape.at(-1)!
    const rest = weight.size / outputs
    const matrix = weight.reshape<Tensor2D>([rest, outputs])
    // WᵀW is as large as WWᵀ, of which the smaller is made: the first layer has 24,576 outputs of 20 latents each.
    const products = tf.matMul(matrix, matrix, rest >= outputs, rest < outputs)
    const lengths = matrix.square().sum(0)
    return products.square().sum().sub(lengths.square().sum())
  })
  return terms.reduce((sum, term) => sum.add(term), tf.scalar(0))
}

/**
 * A random matrix `[rows, columns]` with orthonormal rows or columns, whichever are fewer: what QR makes of normal
 * vectors, in the directions that keep R's diagonal positive. Source: Saxe et al. 2014; BigGAN's initialisation.
 */
export const orthogonalMatrix = (rows: number, columns: number, random: Random): Float32Array => {
  const { tf } = loadRuntime()
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
  const values = Float32Array.from({ length: count * length }, () => random.normal())
  const matrix = tf.tidy(() => {
    const vectors = tf.transpose(tf.tensor2d(values, [count, length]))
    const attributes = [attribute.float32('T'), attribute.bool('full_matrices', false)]
    const [q, r] = runOp('Qr', attributes, [vectors], 2) as [Tensor, Tensor]
    const directed = q.mul(r.mul(tf.eye(count)).sum(0).sign())
    return rows < columns ? tf.transpose(directed) : directed
  })
  const result = matrix.dataSync<'float32'>().slice()
  matrix.dispose()
  return result
}
