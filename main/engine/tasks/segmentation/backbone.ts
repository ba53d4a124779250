/**
 * ResNet for detection: pre-activation bottlenecks (He et al. 2016), so that the searched layer stands before every
 * convolution. Its parameters are made in the order of the classifier's, whose trained weights it can take over.
 */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { architectureOf } from '../../../../shared/architectures/index.ts'
import { convolution, stageOf, type Kit } from '../../blocks.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import type { Settings } from './settings.ts'

export type Backbone = {
  /** Images to C2 … C5, each of half the resolution of the one before. */
  readonly apply: (images: Tensor, mode: Mode) => Tensor[]
  readonly channels: readonly number[]
}

export const createBackbone = (kit: Kit, { network: { width, depth, stride } }: Settings): Backbone => {
  const { tf } = loadRuntime()
  const { stem: channels, stages } = architectureOf({ name: 'resnet', width, depth })
  // Stride 4 as published: 7×7 and pooling. Stride 2 for small images: 3×3, as the classifiers have it.
  const stem = convolution(kit, stride === 4 ? 7 : 3, 3, channels, 2)
  const made: ReturnType<typeof stageOf>[] = []
  for (const stage of stages) made.push(stageOf(kit, made.at(-1)?.channels ?? channels, stage))
  return {
    channels: made.map((stage) => stage.channels),
    apply: (images, mode) => {
      const first = stem(images, mode)
      let x: Tensor = stride === 4 ? tf.maxPool(first as Tensor4D, 3, 2, 'same') : first
      return made.map(({ op }) => (x = op(x, mode)))
    },
  }
}
