import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { loadRuntime } from '../../runtime.ts'
import type { Op, Weights } from './weights.ts'

/**
 * Self-attention over space: each position adds a mixture of all others', weighted by a gate that starts at 0. Keys and
 * values are max-pooled to half the side. Source: Zhang et al. 2019 (SAGAN), with the channel fractions (1/8 and 1/2) and
 * the pooling of Brock et al. 2019.
 */
export const attention = (weights: Weights, channels: number): Op => {
  const { tf } = loadRuntime()
  const [narrow, middle] = [Math.max(1, Math.floor(channels / 8)), Math.max(1, Math.floor(channels / 2))]
  const query = weights.convolution(1, channels, narrow, false)
  const key = weights.convolution(1, channels, narrow, false)
  const content = weights.convolution(1, channels, middle, false)
  const mix = weights.convolution(1, middle, channels, false)
  const gate = weights.scalar(0)
  return (x, mode) => {
    const [n, height, width] = x.shape as [number, number, number, number]
    const places = height * width
    const pooled = (op: Op): Tensor3D => {
      const half = tf.maxPool(op(x, mode) as Tensor4D, 2, 2, 'valid')
      return half.reshape([n, places / 4, half.shape[3]])
    }
    const queries = query(x, mode).reshape<Tensor3D>([n, places, narrow])
    const weightsOf = tf.softmax(tf.matMul(queries, pooled(key), false, true))
    const mixed = tf.matMul(weightsOf, pooled(content)).reshape([n, height, width, middle])
    return x.add(mix(mixed, mode).mul(gate))
  }
}
