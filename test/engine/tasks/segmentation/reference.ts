import { anchorBoxes, levelsOf } from '../../../../main/engine/tasks/segmentation/anchors.ts'
import type { Batch } from '../../../../main/engine/tasks/segmentation/batches.ts'
import { createDetector, type Detector } from '../../../../main/engine/tasks/segmentation/detector.ts'
import { namedVariables } from '../../../../main/engine/state.ts'
import { createMaskRcnn } from '../../../../main/engine/tasks/segmentation/network.ts'
import type { Settings } from '../../../../main/engine/tasks/segmentation/settings.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { transferPreset, type SegmentationConfig } from '../../../../shared/transfer.ts'
import { drawn } from '../../../reference/networks.ts'
import { SEGMENTATION } from '../../../reference/segmentation.ts'
import { drawWeights } from '../../drawn-weights.ts'

const s = SEGMENTATION.settings as Record<
  | ('imageSize' | 'classes' | 'width' | 'depth' | 'stride' | 'pyramid' | 'box' | 'mask' | 'anchorScale')
  | ('anchors' | 'candidates' | 'proposals' | 'rois' | 'objects' | 'detections'),
  number
>
const levels = levelsOf(s.imageSize, s.stride)

/** What test/reference/segmentation.py builds its network with. */
export const SETTINGS: Settings = {
  batchSize: 2,
  imageSize: s.imageSize,
  classes: s.classes,
  groups: 8,
  network: {
    width: s.width,
    depth: s.depth,
    stride: 2,
    pyramidChannels: s.pyramid,
    boxChannels: s.box,
    maskChannels: s.mask,
  },
  regions: {
    anchorScale: s.anchorScale,
    anchors: s.anchors,
    candidates: s.candidates,
    proposals: s.proposals,
    rois: s.rois,
    objects: s.objects,
    detections: s.detections,
  },
  levels,
  anchors: anchorBoxes(levels, s.anchorScale),
}

export const TRAINING: SegmentationConfig['training'] = {
  ...(transferPreset('segmentation', 'demo') as SegmentationConfig).training,
  momentum: 0.9,
  weightDecay: 1e-4,
}

/** A detector with the starting weights of segmentation.py. */
export const referenceDetector = (layer: string, eager = false): Detector => {
  const { graph } = knownLayer(layer)
  const network = createMaskRcnn(graph, SETTINGS, 1)
  drawWeights(network.parameters)
  // The weights drawn above; velocities begin at 0 and statistics as the network has them.
  const state = new Map(
    [...namedVariables(network, network.parameters.trainable)].map(([name, variable]) => {
      const values = variable.dataSync<'float32'>()
      const isOutput = variable.rank === 4 && variable.shape[3]! % 8 !== 0
      const scale = name.includes('/velocities/') ? 0 : name.includes('/weights/') && isOutput ? 0.1 : 1
      return [name, values.map((value) => scale * value)]
    }),
  )
  network.parameters.dispose()
  return createDetector({ graph, settings: SETTINGS, training: TRAINING, seed: 1, state, eager })
}

/** The batch of segmentation.py, its images drawn from a number. */
export const referenceBatch = (number: number): Batch => {
  const { boxes, classes, anchors, anchorObject } = SEGMENTATION.batch
  const masks = [0, 1, 2, 3, 4, 5].flatMap((o) =>
    Array.from({ length: 56 * 56 }, (_, i) => {
      const [y, x] = [Math.floor(i / 56) - 27.5, (i % 56) - 27.5]
      return y * y + x * x < (16 + 5 * o) ** 2 ? 0.9 : 0.05
    }),
  )
  return {
    images: drawn(2 * s.imageSize ** 2 * 3, number).map((value) => 2 * value),
    anchors: Int32Array.from(anchors.flat()),
    anchorObject: Int32Array.from(anchorObject.flat()),
    boxes: Float32Array.from(boxes.flat(2)),
    classes: Int32Array.from(classes.flat()),
    masks: Float32Array.from(masks),
    chance: drawn(2 * (s.proposals + 3), 1001).map((value) => value / 2 + 0.5),
  }
}
