/** From images to detections, in one graph (He et al. 2017, section 3.1: boxes first, masks of the best). */
import { attribute, loadRuntime, runOp, type Tensor } from '../../runtime.ts'
import { clipBoxes, decodeBoxes } from './boxes.ts'
import { ofClass } from './losses.ts'
import type { MaskRcnn } from './network.ts'
import { propose } from './proposals.ts'
import { DETECTION_OVERLAP, HEAD_WEIGHTS, LEAST_SCORE, MASK_SIDE, type Settings } from './settings.ts'

/** Results in order: boxes `[n, most, 4]`, scores, classes (from 0 on) `[n, most]`, counts `[n]`, masks `[n, most, 28, 28]`. */
export const infer = (network: MaskRcnn, images: Tensor, settings: Settings): Tensor[] => {
  const { tf } = loadRuntime()
  const mode = { training: false }
  const { classes, imageSize, regions } = settings
  const batch = images.shape[0]!
  const features = network.features(images, mode)
  const { boxes, valid } = propose(network.proposals(features, mode), settings)
  const { logits, deltas } = network.boxes(features, boxes, mode)
  const found = boxes.shape[1]!
  const k = batch * found
  const scores = tf.slice(tf.softmax(logits), [0, 1], [k, classes]).mul(valid.reshape([k, 1]))
  const spread = tf.tile(boxes.reshape([k, 1, 4]), [1, classes, 1])
  const moved = clipBoxes(decodeBoxes(spread, deltas, HEAD_WEIGHTS), imageSize)
  const [best, bestScores, bestClasses, counts] = suppressByClass(
    moved.reshape([batch, found, classes, 4]),
    scores.reshape([batch, found, classes]),
    regions.detections,
  )
  const masks = network.masks(features, best, mode).reshape([batch * regions.detections, -1, classes])
  const own = ofClass(masks, bestClasses.reshape([-1]).cast('int32').add(tf.scalar(1, 'int32')))
  return [
    best,
    bestScores,
    bestClasses,
    counts,
    tf.sigmoid(own).reshape([batch, regions.detections, MASK_SIDE, MASK_SIDE]),
  ]
}

/** Greedy suppression within each class, and the best `most` of all: boxes, scores, classes, counts. */
const suppressByClass = (boxes: Tensor, scores: Tensor, most: number): [Tensor, Tensor, Tensor, Tensor] => {
  const { tf } = loadRuntime()
  const limit = () => tf.scalar(most, 'int32')
  return runOp(
    'CombinedNonMaxSuppression',
    [attribute.bool('pad_per_class', false), attribute.bool('clip_boxes', false)],
    [boxes, scores, limit(), limit(), tf.scalar(DETECTION_OVERLAP), tf.scalar(LEAST_SCORE)],
    4,
  ) as [Tensor, Tensor, Tensor, Tensor]
}
