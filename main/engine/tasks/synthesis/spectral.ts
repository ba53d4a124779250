/**
 * Spectral normalisation: a weight divided by an estimate of its largest singular value, from one step of power iteration
 * at each use in training. Source: Miyato et al. 2018, algorithm 1; as BigGAN, in both networks.
 */
import type { Tensor2D } from '@tensorflow/tfjs-node-gpu'
import { stopGradient } from '../../gradients/tape.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor, type Variable } from '../../runtime.ts'

/** BigGAN's. */
const EPSILON = 1e-6

/**
 * `weight` `[…, outputs]` over the largest singular value of its matrix `[rest, outputs]`. `direction` `[outputs]` is the
 * estimate of that value's right singular vector; a training step leaves it one iteration better. The two vectors are
 * constants to the gradient, the value is not.
 */
export const spectralNormal = (weight: Tensor, direction: Variable, { training }: Mode): Tensor => {
  const { tf } = loadRuntime()
  const outputs = direction.size
  const matrix = weight.reshape<Tensor2D>([weight.size / outputs, outputs])
  const { left, right } = stopGradient(() => {
    const left = unit(tf.matMul(matrix, direction.reshape<Tensor2D>([outputs, 1])))
    const right = unit(tf.matMul(matrix, left, true, false))
    if (training) direction.assign(right.reshape([outputs]) as Variable)
    return { left, right }
  })
  const value = tf.matMul(tf.matMul(left, matrix, true, false), right)
  return weight.div(value.reshape([]))
}

const unit = (vector: Tensor2D): Tensor2D => {
  const length = vector.square().sum().sqrt()
  return vector.div(loadRuntime().tf.maximum(length, EPSILON))
}
