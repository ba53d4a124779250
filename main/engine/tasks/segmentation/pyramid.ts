/** Feature pyramid (Lin et al. 2017, section 3): coarse features carried down to fine ones. */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { chain, convolution, type Kit } from '../../blocks.ts'
import { upsample } from '../../gradients/resample.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** C2 … C5 of `from` channels to P2 … P6, each of `channels`: norm-activation before a lateral and after a last one. */
export const createPyramid = (kit: Kit, from: readonly number[], channels: number) => {
  const { tf } = loadRuntime()
  const laterals = from.map((c) => chain(kit.site(c), convolution(kit, 1, c, channels, 1)))
  const outputs = from.map(() => chain(convolution(kit, 3, channels, channels, 1), kit.site(channels)))
  return (features: readonly Tensor[], mode: Mode): Tensor[] => {
    const merged: Tensor[] = []
    for (let i = features.length - 1; i >= 0; i--) {
      const lateral = laterals[i]!(features[i]!, mode)
      const coarser = merged[0]
      merged.unshift(coarser ? lateral.add(upsample(coarser)) : lateral)
    }
    const levels = merged.map((x, i) => outputs[i]!(x, mode))
    return [...levels, tf.maxPool(levels.at(-1)! as Tensor4D, 1, 2, 'same')]
  }
}
