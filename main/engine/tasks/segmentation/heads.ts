/** The heads on a region's features (He et al. 2017, figure 4, right), the layer at each norm-activation site. */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { chain, convolution, type Kit, type Op } from '../../blocks.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { output } from './output.ts'
import { BOX_BINS, type Settings } from './settings.ts'

/** `logits` `[k, 1 + classes]`, background first; `deltas` `[k, classes, 4]`. */
export type BoxOutput = { readonly logits: Tensor; readonly deltas: Tensor }

/** Two hidden layers, fully connected, on features `[k, 7, 7, c]`. */
export const createBoxHead = (kit: Kit, { network, classes }: Settings) => {
  const { tf } = loadRuntime()
  const { pyramidChannels: from, boxChannels: hidden } = network
  const filter = kit.parameters.kernel([BOX_BINS, BOX_BINS, from, hidden], BOX_BINS ** 2 * from)
  const all: Op = (x) => tf.conv2d(x as Tensor4D, filter as unknown as Tensor4D, 1, 'valid')
  const body = chain(all, kit.site(hidden), convolution(kit, 1, hidden, hidden, 1), kit.site(hidden))
  const logits = output(kit, hidden, 1 + classes, 0.01)
  const deltas = output(kit, hidden, 4 * classes, 0.001)
  return (features: Tensor, mode: Mode): BoxOutput => {
    const x = body(features, mode)
    return { logits: logits(x).reshape([-1, 1 + classes]), deltas: deltas(x).reshape([-1, classes, 4]) }
  }
}

/** Four convolutions and a transposed one on features `[k, 14, 14, c]`; logits `[k, 28, 28, classes]`. */
export const createMaskHead = (kit: Kit, { network, classes }: Settings) => {
  const { tf } = loadRuntime()
  const { pyramidChannels, maskChannels: channels } = network
  const body = chain(
    ...[pyramidChannels, channels, channels, channels].flatMap((from) => [
      convolution(kit, 3, from, channels, 1),
      kit.site(channels),
    ]),
  )
  const filter = kit.parameters.kernel([2, 2, channels, channels], channels)
  const site = kit.site(channels)
  const logits = output(kit, channels, classes, 0.001)
  return (features: Tensor, mode: Mode): Tensor => {
    const x = body(features, mode)
    const [k, height, width] = x.shape as [number, number, number, number]
    const larger = tf.conv2dTranspose(
      x as Tensor4D,
      filter as unknown as Tensor4D,
      [k, 2 * height, 2 * width, channels],
      2,
      'same',
    )
    return logits(site(larger, mode))
  }
}
