/** Mask R-CNN with a feature pyramid, the layer at every norm-activation site of backbone, pyramid and heads. */
import type { Graph } from '../../../../shared/graph.ts'
import { createKit } from '../../blocks.ts'
import type { Mode } from '../../layer.ts'
import { createParameters, type Parameters } from '../../parameters.ts'
import type { Tensor } from '../../runtime.ts'
import type { BackboneSize } from '../../state.ts'
import { createBackbone } from './backbone.ts'
import { createBoxHead, createMaskHead, type BoxOutput } from './heads.ts'
import { createPyramid } from './pyramid.ts'
import { pyramidAlign } from './roiAlign.ts'
import { imageOf } from './rows.ts'
import { createProposalHead, type Proposed } from './rpn.ts'
import { BOX_BINS, MASK_BINS, type Settings } from './settings.ts'

export type MaskRcnn = {
  /** Images `[batch, side, side, 3]` to P2 … P6. */
  readonly features: (images: Tensor, mode: Mode) => Tensor[]
  readonly proposals: (features: readonly Tensor[], mode: Mode) => Proposed
  /** Boxes and classes of regions `[batch, n, 4]`, in their order: k = batch · n. */
  readonly boxes: (features: readonly Tensor[], regions: Tensor, mode: Mode) => BoxOutput
  /** Logits `[k, 28, 28, classes]`. */
  readonly masks: (features: readonly Tensor[], regions: Tensor, mode: Mode) => Tensor
  readonly parameters: Parameters
  readonly backbone: BackboneSize
}

export const createMaskRcnn = (graph: Graph, settings: Settings, seed: number): MaskRcnn => {
  const parameters = createParameters(`${seed}/mask-rcnn`)
  const kit = createKit(graph, settings.groups, parameters)
  const channels = settings.network.pyramidChannels
  const backbone = createBackbone(kit, settings)
  const size = { trainable: parameters.trainable.length, statistics: parameters.statistics.length }
  const pyramid = createPyramid(kit, backbone.channels, channels)
  const proposals = createProposalHead(kit, channels)
  const boxHead = createBoxHead(kit, settings)
  const maskHead = createMaskHead(kit, settings)
  const align = (features: readonly Tensor[], regions: Tensor, bins: number): Tensor => {
    const [batch, count] = regions.shape as [number, number, number]
    const flat = regions.reshape([batch * count, 4])
    return pyramidAlign(features, settings.levels, flat, imageOf(batch, count), bins)
  }
  return {
    features: (images, mode) => pyramid(backbone.apply(images, mode), mode),
    proposals,
    boxes: (features, regions, mode) => boxHead(align(features, regions, BOX_BINS), mode),
    masks: (features, regions, mode) => maskHead(align(features, regions, MASK_BINS), mode),
    parameters,
    backbone: size,
  }
}
