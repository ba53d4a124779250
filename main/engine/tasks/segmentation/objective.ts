/** What a training step minimises. */
import { gatherRows, cropAndResize } from '../../gradients/detection.ts'
import { stopGradient } from '../../gradients/tape.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { encodeBoxes } from './boxes.ts'
import * as losses from './losses.ts'
import type { MaskRcnn } from './network.ts'
import { propose } from './proposals.ts'
import { samplingBoxes } from './roiAlign.ts'
import { drawRegions, type Objects, type Regions } from './rois.ts'
import { batched, imageOf } from './rows.ts'
import type { Proposed } from './rpn.ts'
import {
  HEAD_WEIGHTS,
  MASK_SIDE,
  OBJECT_MASK_SIDE,
  PROPOSAL_WEIGHTS,
  objectRegions,
  type Settings,
} from './settings.ts'

/** A batch as tensors; `most` objects an image, the rest of the places filled up. */
export type BatchTensors = {
  /** `[batch, side, side, 3]` */
  readonly images: Tensor
  /** The anchors drawn, int32 `[batch, n]`; the objects they stand for: −1 background, −2 none. */
  readonly anchors: Tensor
  readonly anchorObject: Tensor
  /** `[batch, most, 4]`; int32 `[batch, most]`; each cut out of its box, `[batch, most, 56, 56]`. */
  readonly boxes: Tensor
  readonly classes: Tensor
  readonly masks: Tensor
  /** Uniform in [0, 1), `[batch, proposals + most]`. */
  readonly chance: Tensor
}

/** In the order of the step's results; the first is their sum. */
export const LOSSES = ['total', 'objectness', 'proposalBox', 'class', 'box', 'mask'] as const

/** The losses of a batch, in the order of LOSSES. */
export const objective = (network: MaskRcnn, batch: BatchTensors, settings: Settings): Tensor[] => {
  const mode = { training: true }
  const features = network.features(batch.images, mode)
  const proposed = network.proposals(features, mode)
  const regions = drawRegions(propose(proposed, settings), batch, batch.chance, settings)
  const parts = [
    ...proposalLosses(proposed, batch, settings),
    ...boxLosses(network, features, regions, batch, settings),
    maskLoss(network, features, regions, batch, settings),
  ]
  return [parts.reduce((sum, part) => sum.add(part)), ...parts]
}

/** Both are means over the anchors drawn. */
const proposalLosses = (proposed: Proposed, batch: BatchTensors, settings: Settings): [Tensor, Tensor] => {
  const { tf } = loadRuntime()
  const { anchors, anchorObject, boxes } = batch
  const drawn = stopGradient(() => {
    const at = (least: number) => tf.greaterEqual(anchorObject, tf.scalar(least, 'int32')).cast('float32')
    const [isObject, counts] = [at(0), at(-1)]
    const all = tf.tensor2d(settings.anchors, [settings.anchors.length / 4, 4])
    const object = tf.maximum(anchorObject, tf.scalar(0, 'int32'))
    const deltas = encodeBoxes(gatherRows(all, anchors), batched(boxes, object), PROPOSAL_WEIGHTS)
    return { isObject, counts, deltas }
  })
  const logits = batched(proposed.objectness, anchors)
  const moved = batched(proposed.deltas, anchors)
  const apart = losses.smoothL1(moved.sub(drawn.deltas), losses.PROPOSAL_BETA).sum(2)
  return [
    losses.weightedMean(losses.sigmoidCrossEntropy(logits, drawn.isObject), drawn.counts),
    losses.weightedMean(apart, drawn.isObject, drawn.counts),
  ]
}

/** Classes and boxes, both means over the regions drawn. */
const boxLosses = (
  network: MaskRcnn,
  features: readonly Tensor[],
  regions: Regions,
  objects: Objects,
  settings: Settings,
): [Tensor, Tensor] => {
  const { tf } = loadRuntime()
  const [batch, count] = regions.weights.shape as [number, number]
  const front = objectRegions(settings)
  const { logits, deltas } = network.boxes(features, regions.boxes, { training: true })
  const inFront = (x: Tensor): Tensor =>
    tf.slice(x, [0, 0, ...x.shape.slice(2).map(() => 0)], [batch, front, ...x.shape.slice(2)])
  const flat = (x: Tensor): Tensor => x.reshape([batch * front, ...x.shape.slice(2)])
  const target = stopGradient(() =>
    flat(encodeBoxes(inFront(regions.boxes), batched(objects.boxes, regions.object), HEAD_WEIGHTS)),
  )
  const ofFront = flat(inFront(deltas.reshape([batch, count, settings.classes, 4])))
  const own = losses.ofClass(tf.transpose(ofFront, [0, 2, 1]), flat(inFront(regions.classes)))
  const apart = losses.smoothL1(own.sub(target), losses.HEAD_BETA).sum(1)
  const weights = regions.weights.reshape([-1])
  return [
    losses.weightedMean(losses.crossEntropies(logits, regions.classes.reshape([-1])), weights),
    losses.weightedMean(apart, regions.isObject.reshape([-1]), weights),
  ]
}

/** Mean over the pixels of the masks of regions that stand for objects; each object's class has a mask of its own. */
const maskLoss = (
  network: MaskRcnn,
  features: readonly Tensor[],
  regions: Regions,
  batch: BatchTensors,
  settings: Settings,
): Tensor => {
  const { tf } = loadRuntime()
  const n = regions.weights.shape[0]!
  const front = objectRegions(settings)
  const k = n * front
  const inFront = stopGradient(() => {
    const boxes = tf.slice(regions.boxes, [0, 0, 0], [n, front, 4])
    const target = maskTargets(
      boxes,
      batched(batch.boxes, regions.object),
      batched(batch.masks, regions.object),
    )
    const weights = regions.isObject.reshape([k])
    const classes = tf.slice(regions.classes, [0, 0], [n, front]).reshape([k])
    return { boxes, target: target.reshape([k, -1]), weights, classes }
  })
  const logits = network.masks(features, inFront.boxes, { training: true })
  const own = losses.ofClass(logits.reshape([k, -1, settings.classes]), inFront.classes)
  return losses.weightedMean(losses.sigmoidCrossEntropy(own, inFront.target).mean(1), inFront.weights)
}

/** What of the objects' masks `[batch, n, 56, 56]`, each in its box, lies in the regions: 0 or 1, `[batch · n, 28, 28, 1]`. */
const maskTargets = (regions: Tensor, boxes: Tensor, masks: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const [n, count] = regions.shape as [number, number, number]
  const k = n * count
  const [top, left, bottom, right] = tf.split(boxes.reshape([k, 4]), 4, 1) as [Tensor, Tensor, Tensor, Tensor]
  const origin = tf.concat([top, left, top, left], 1)
  const size = tf.maximum(tf.concat([bottom.sub(top), right.sub(left)], 1), 1e-3)
  const within = regions
    .reshape([k, 4])
    .sub(origin)
    .div(tf.concat([size, size], 1))
    .mul(OBJECT_MASK_SIDE)
  const at = samplingBoxes(within, MASK_SIDE, OBJECT_MASK_SIDE)
  const squares = masks.reshape([k, OBJECT_MASK_SIDE, OBJECT_MASK_SIDE, 1])
  return tf.greaterEqual(cropAndResize(squares, at, imageOf(k, 1), MASK_SIDE), tf.scalar(0.5)).cast('float32')
}
