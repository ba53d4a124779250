import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import type { Kit } from '../../blocks.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** A 1×1 convolution with a bias, weights drawn with `deviation`: what a head says. */
export const output = (kit: Kit, from: number, to: number, deviation: number): ((x: Tensor) => Tensor) => {
  const { tf } = loadRuntime()
  // `kernel` draws with √(2 / fan-in).
  const filter = kit.parameters.kernel([1, 1, from, to], 2 / deviation ** 2)
  const bias = kit.parameters.vector(to, 0)
  return (x) => tf.conv2d(x as Tensor4D, filter as unknown as Tensor4D, 1, 'same').add(bias)
}
