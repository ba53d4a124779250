/**
 * BigGAN's generator (Brock et al. 2019, appendix B.1) with the promoted layer at every norm-activation site. Class and
 * noise decide the affine of each site in the blocks (see createConditionalLayer); the site before the last
 * convolution keeps the layer's own, as BigGAN's.
 */
import type { Graph } from '../../../../shared/graph.ts'
import { upsample } from '../../gradients/resample.ts'
import { createConditionalLayer, createLayer, type Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { attention } from './attention.ts'
import { BOTTOM, generatorBlocks, type Block } from './plan.ts'
import { createWeights, rowsOf, type Weights } from './weights.ts'

export type GeneratorConfig = {
  readonly imageSize: number
  readonly channels: number
  readonly latent: number
  readonly sharedEmbedding: number
  /** Side of the feature maps with self-attention; 0: none. */
  readonly attention: number
  readonly groups: number
  readonly classes: number
}
export type Generator = {
  /** Latents `[batch, latent]` and labels `[batch]` to images `[batch, side, side, 3]` in −1..1. */
  readonly apply: (latents: Tensor, labels: Tensor, mode: Mode) => Tensor
  readonly weights: Weights
}

/** What `createConditionalLayer` is given comes from `condition` `[batch, width]`. */
type ConditionalOp = (x: Tensor, condition: Tensor, mode: Mode) => Tensor
type Kit = { readonly graph: Graph; readonly groups: number; readonly weights: Weights }

export const createGenerator = (graph: Graph, config: GeneratorConfig, seed: string): Generator => {
  const { tf } = loadRuntime()
  const weights = createWeights(seed)
  const kit = { graph, groups: config.groups, weights }
  const blocks = generatorBlocks(config.imageSize, config.channels)
  const chunks = chunksOf(config.latent, blocks.length + 1)
  const [first, last] = [blocks[0]!.from, blocks.at(-1)!.to]

  const embedding = weights.table(config.classes, config.sharedEmbedding, false)
  const project = weights.linear(chunks[0]!, BOTTOM * BOTTOM * first)
  const ops = blocks.map((block, i) => {
    const up = upBlock(kit, block, config.sharedEmbedding + chunks[i + 1]!)
    const attend = block.side === config.attention ? attention(weights, block.to) : null
    const op: ConditionalOp = (x, condition, mode) => {
      const y = up(x, condition, mode)
      return attend ? attend(y, mode) : y
    }
    return op
  })
  const close = createLayer(graph, last, config.groups, weights.parameters)
  const paint = weights.convolution(3, last, 3)

  const apply = (latents: Tensor, labels: Tensor, mode: Mode): Tensor => {
    const n = latents.shape[0]!
    const classes = rowsOf(embedding(mode), labels)
    let from = chunks[0]!
    let x = project(latents.slice([0, 0], [n, from]), mode).reshape([n, BOTTOM, BOTTOM, first])
    ops.forEach((op, i) => {
      const chunk = latents.slice([0, from], [n, chunks[i + 1]!])
      x = op(x, tf.concat([classes, chunk], 1), mode)
      from += chunks[i + 1]!
    })
    return tf.tanh(paint(close(x, mode), mode))
  }
  return { apply, weights }
}

/** Latents shared out evenly; what does not divide goes to the first layer. Source: BigGAN's hierarchical latents. */
export const chunksOf = (latent: number, count: number): number[] => {
  const each = Math.floor(latent / count)
  if (each < 1) throw new Error(`synthesis: ${count} places need a latent each, got ${latent} in all`)
  return [latent - (count - 1) * each, ...Array.from({ length: count - 1 }, () => each)]
}

/**
 * Residual block that doubles the side: site, up, 3×3, site, 3×3, beside up and 1×1. The 1×1 convolution comes before the
 * repetition of pixels, with which it commutes, at a quarter of the cost.
 */
const upBlock = (kit: Kit, { from, to }: Block, width: number): ConditionalOp => {
  const first = conditionalSite(kit, from, width)
  const wide = kit.weights.convolution(3, from, to)
  const second = conditionalSite(kit, to, width)
  const same = kit.weights.convolution(3, to, to)
  const shortcut = kit.weights.convolution(1, from, to)
  return (x, condition, mode) => {
    const h = wide(upsample(first(x, condition, mode)), mode)
    return same(second(h, condition, mode), mode).add(upsample(shortcut(x, mode)))
  }
}

const conditionalSite = ({ graph, groups, weights }: Kit, channels: number, width: number): ConditionalOp => {
  const layer = createConditionalLayer(graph, channels, groups, weights.parameters)
  const gain = weights.linear(width, channels, false)
  const bias = weights.linear(width, channels, false)
  return (x, condition, mode) => {
    const shape = [x.shape[0]!, 1, 1, channels]
    const gamma = gain(condition, mode).add(1).reshape(shape)
    return layer(x, { gamma, beta: bias(condition, mode).reshape(shape) }, mode)
  }
}
