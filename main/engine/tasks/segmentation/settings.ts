import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import { anchorBoxes, levelsOf, type Level } from './anchors.ts'
import type { Weights } from './boxes.ts'

/** Everything that fixes the shapes of a detector's tensors. */
export type Settings = {
  readonly batchSize: number
  readonly imageSize: number
  /** Without the background. */
  readonly classes: number
  readonly groups: number
  readonly network: SegmentationConfig['network']
  readonly regions: SegmentationConfig['regions']
  readonly levels: readonly Level[]
  /** `[anchors, 4]` */
  readonly anchors: Float32Array
}

export const settingsOf = (config: SegmentationConfig, classes: number): Settings => {
  const { data, network, regions, training } = config
  const levels = levelsOf(data.imageSize, network.stride)
  const anchors = anchorBoxes(levels, regions.anchorScale)
  const atMost = (what: string, got: number, most: number) => {
    if (got > most) throw new Error(`segmentation: needed at most ${most} ${what}, got ${got}`)
  }
  atMost('anchors drawn of an image', regions.anchors, anchors.length / 4)
  atMost(
    'regions to train on (there are no more to draw from)',
    regions.rois,
    regions.proposals + regions.objects,
  )
  return {
    batchSize: training.batchSize,
    imageSize: data.imageSize,
    classes,
    groups: training.groups,
    network,
    regions,
    levels,
    anchors,
  }
}

/** Box deltas of the proposals are as they are; those of the heads are weighted (Girshick's Fast R-CNN). */
export const PROPOSAL_WEIGHTS: Weights = [1, 1]
export const HEAD_WEIGHTS: Weights = [10, 5]
/** Share of objects among the regions that the heads train on (Girshick 2015, section 2.3). */
export const OBJECT_SHARE = 0.25
/** Overlap from which on a region stands for an object. */
export const OBJECT_OVERLAP = 0.5
/** Overlaps at which the lesser of two boxes is dropped: proposals, detections of one class. */
export const PROPOSAL_OVERLAP = 0.7
export const DETECTION_OVERLAP = 0.5
/** Detections below are none. */
export const LEAST_SCORE = 0.05
/** Sides of a region's features for the box head and the mask head, of its masks, and of the objects' own masks. */
export const BOX_BINS = 7
export const MASK_BINS = 14
export const MASK_SIDE = 28
export const OBJECT_MASK_SIDE = 56

/** Regions of each image that stand for objects, at most. */
export const objectRegions = ({ regions }: Settings): number => Math.round(regions.rois * OBJECT_SHARE)
