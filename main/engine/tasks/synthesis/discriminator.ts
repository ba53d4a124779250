/**
 * BigGAN's discriminator (Brock et al. 2019, appendix B.1): residual blocks with ReLU and without normalisation, and the
 * projection of the class (Miyato & Koyama 2018). The promoted layer has no part in it, as in Liu et al. 2020.
 */
import { downsample } from '../../gradients/resample.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { attention } from './attention.ts'
import { discriminatorBlocks, type Block } from './plan.ts'
import { createWeights, rowsOf, type Op, type Weights } from './weights.ts'

export type DiscriminatorConfig = {
  readonly imageSize: number
  readonly channels: number
  /** Side of the feature maps with self-attention; 0: none. */
  readonly attention: number
  readonly classes: number
}
export type Discriminator = {
  /** Images `[batch, side, side, 3]` in −1..1 and labels `[batch]` to scores `[batch]`. */
  readonly apply: (images: Tensor, labels: Tensor, mode: Mode) => Tensor
  readonly weights: Weights
}

export const createDiscriminator = (config: DiscriminatorConfig, seed: string): Discriminator => {
  const { tf } = loadRuntime()
  const weights = createWeights(seed)
  const blocks = discriminatorBlocks(config.imageSize, config.channels)
  const channels = blocks.at(-1)!.to
  const ops = blocks.flatMap((block, i) => {
    const down = downBlock(weights, block, i === 0)
    return block.side === config.attention && block.resampled ? [down, attention(weights, block.to)] : [down]
  })
  const judge = weights.linear(channels, 1)
  const embedding = weights.table(config.classes, channels)
  const apply = (images: Tensor, labels: Tensor, mode: Mode): Tensor => {
    const features = tf.relu(ops.reduce((x, op) => op(x, mode), images)).sum([1, 2])
    const projected = rowsOf(embedding(mode), labels).mul(features).sum(1)
    return judge(features, mode).reshape([images.shape[0]!]).add(projected)
  }
  return { apply, weights }
}

/**
 * Residual block: ReLU, 3×3, ReLU, 3×3, beside a 1×1; both halved where the block says so. The first block has images,
 * to which no ReLU is applied. The 1×1 convolution comes after the averaging, with which it commutes.
 */
const downBlock = (weights: Weights, { from, to, resampled }: Block, first: boolean): Op => {
  const { tf } = loadRuntime()
  const wide = weights.convolution(3, from, to)
  const same = weights.convolution(3, to, to)
  const shortcut = from !== to || resampled ? weights.convolution(1, from, to) : null
  const halved = (x: Tensor): Tensor => (resampled ? downsample(x) : x)
  return (x, mode) => {
    const h = wide(first ? x : tf.relu(x), mode)
    const beside = halved(x)
    return halved(same(tf.relu(h), mode)).add(shortcut ? shortcut(beside, mode) : beside)
  }
}
