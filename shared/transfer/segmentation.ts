/**
 * Instance segmentation: Mask R-CNN with a feature pyramid, the promoted layer at every norm-activation site.
 * Sources: He et al. 2017 (Mask R-CNN), Lin et al. 2017 (FPN), Liu et al. 2020, section 5.2.
 */
import { z } from 'zod'
import { trainingText } from '../data.ts'
import { splitChoice } from '../records/data.ts'
import { count, fraction, positive, rate } from '../records/fields.ts'
import type { Of } from '../records/shapes.ts'
import { comparable } from './comparable.ts'
import type { Measure } from './records.ts'
import { dataDepartures, dataName, type Task } from './task.ts'

export const segmentationSchema = z.strictObject({
  task: z.literal('segmentation'),
  ...comparable,
  data: z.strictObject({
    kind: z.enum(['shapes', 'coco']),
    /** COCO's folder: annotations/instances_<split>.json beside <split>/. */
    path: z.string().min(1).optional(),
    /** Side of the square that an image is fitted into. */
    imageSize: z.int().min(32).max(2048).multipleOf(32),
    /** At most so many are used; 0 means all. */
    trainingImages: count,
    validationImages: positive,
    ...splitChoice,
  }),
  network: z.strictObject({
    /** Multiply the channels and the blocks a stage of ResNet-50. */
    width: z.number().min(0.05).max(4),
    depth: z.number().min(0.05).max(4),
    /** The stride of the finest level: 4 as published; 2 (a 3×3 stem without pooling) for small images. */
    stride: z.literal([2, 4]),
    pyramidChannels: positive,
    /** Units of the box head's two hidden layers. */
    boxChannels: positive,
    /** Channels of the mask head's four convolutions. */
    maskChannels: positive,
    /** A checkpoint whose backbone to start from, or a folder with one for each layer. */
    backbone: z.string().min(1).optional(),
  }),
  regions: z.strictObject({
    /** Side of a square anchor in strides of its level. */
    anchorScale: z.number().min(1).max(32),
    /** Anchors drawn of each image for the proposals' losses. */
    anchors: positive,
    /** Best boxes taken of each level; those left of all levels when doubles are dropped. */
    candidates: positive,
    proposals: positive,
    /** Regions drawn of each image to train the heads on, a quarter of them objects. */
    rois: z.int().min(4),
    /** Objects of an image that are trained on, at most: the largest. */
    objects: positive,
    /** Detections of an image, at most. */
    detections: z.int().min(1).max(100),
  }),
  training: z.strictObject({
    steps: positive,
    batchSize: positive,
    /** Peak; warmed up linearly, then along a cosine. */
    learningRate: rate,
    warmupSteps: count,
    momentum: fraction,
    weightDecay: rate,
    /** Groups of the `hwg` index set. */
    groups: positive,
  }),
})
export type SegmentationConfig = Of<typeof segmentationSchema>

const precision = (what: 'Box' | 'Mask', range: string, help: string): Measure => ({
  label: `${what} AP${range}`,
  unit: 'fraction',
  better: 'higher',
  help: `COCO's average precision of ${what === 'Box' ? 'boxes' : 'masks'}${help}.`,
})

const DEMO: SegmentationConfig = {
  task: 'segmentation',
  preset: 'demo',
  data: { kind: 'shapes', imageSize: 64, trainingImages: 2000, validationImages: 200 },
  network: { width: 0.25, depth: 0.34, stride: 2, pyramidChannels: 32, boxChannels: 128, maskChannels: 32 },
  regions: {
    anchorScale: 8,
    anchors: 128,
    candidates: 200,
    proposals: 64,
    rois: 48,
    objects: 8,
    detections: 20,
  },
  training: {
    steps: 1500,
    batchSize: 4,
    learningRate: 0.02,
    warmupSteps: 100,
    momentum: 0.9,
    weightDecay: 1e-4,
    groups: 8,
  },
  evaluateEvery: 500,
  checkpointEvery: 100,
  seed: 1,
  seeds: 3,
  baselines: ['BN-ReLU', 'GN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'],
}

const OVERNIGHT: SegmentationConfig = {
  ...DEMO,
  preset: 'overnight',
  data: { kind: 'shapes', imageSize: 128, trainingImages: 8000, validationImages: 500 },
  network: { width: 0.5, depth: 0.5, stride: 2, pyramidChannels: 64, boxChannels: 256, maskChannels: 64 },
  regions: { ...DEMO.regions, anchors: 256, candidates: 500, proposals: 200, rois: 128 },
  training: { ...DEMO.training, steps: 5000, warmupSteps: 250 },
  evaluateEvery: 1000,
  checkpointEvery: 200,
}

const PAPER: SegmentationConfig = {
  ...DEMO,
  preset: 'paper',
  data: { kind: 'coco', imageSize: 1024, trainingImages: 0, validationImages: 5000 },
  network: { width: 1, depth: 1, stride: 4, pyramidChannels: 256, boxChannels: 1024, maskChannels: 256 },
  regions: {
    anchorScale: 8,
    anchors: 256,
    candidates: 2000,
    proposals: 1000,
    rois: 512,
    objects: 100,
    detections: 100,
  },
  training: {
    steps: 22_500,
    batchSize: 64,
    learningRate: 0.08,
    warmupSteps: 500,
    momentum: 0.9,
    weightDecay: 4e-5,
    groups: 32,
  },
  evaluateEvery: 2500,
  checkpointEvery: 250,
}

export const segmentation: Task<SegmentationConfig> = {
  label: 'Instance segmentation',
  short: 'Segmentation',
  images: 'Scenes',
  promoted: true,
  judgedBy: 'first',
  tables: { Mask: 'Masks', Box: 'Boxes' },
  files: ['backbone'],
  pictures: {
    kind: 'overlay',
    title: 'Masks',
    note: 'the same images at every measurement: found on the left, the truth on the right of each pair',
    small: false,
  },
  help: 'Mask R-CNN with a feature pyramid: boxes, classes and masks of the objects in a scene.',
  source: 'He et al. 2017; Lin et al. 2017; Liu et al. 2020, section 5.2',
  measures: {
    maskAp: precision('Mask', '', ', mean over overlaps of 0.5 to 0.95'),
    maskAp50: precision('Mask', '₅₀', ' at an overlap of 0.5'),
    maskAp75: precision('Mask', '₇₅', ' at an overlap of 0.75'),
    maskApSmall: precision('Mask', ' small', ', objects under 32² pixels'),
    maskApMedium: precision('Mask', ' medium', ', objects of 32² to 96² pixels'),
    maskApLarge: precision('Mask', ' large', ', objects over 96² pixels'),
    boxAp: precision('Box', '', ', mean over overlaps of 0.5 to 0.95'),
    boxAp50: precision('Box', '₅₀', ' at an overlap of 0.5'),
    boxAp75: precision('Box', '₇₅', ' at an overlap of 0.75'),
    boxApSmall: precision('Box', ' small', ', objects under 32² pixels'),
    boxApMedium: precision('Box', ' medium', ', objects of 32² to 96² pixels'),
    boxApLarge: precision('Box', ' large', ', objects over 96² pixels'),
  },
  losses: {
    total: 'Total',
    objectness: 'Proposals: object or not',
    proposalBox: 'Proposals: boxes',
    class: 'Classes',
    box: 'Boxes',
    mask: 'Masks',
  },
  dataSets: {
    shapes: {
      label: 'Shapes scenes',
      short: 'Shapes',
      help: 'Scenes of textured shapes with exact masks.',
      needsPath: false,
    },
    coco: {
      label: 'COCO',
      help: "A folder in COCO's layout: annotations/instances_<split>.json beside <split>/.",
      needsPath: true,
      inProtocol: { name: 'COCO', departure: 'The folder is taken for COCO 2017, which nobody checks' },
    },
  },
  presets: {
    demo: { label: 'Demo', help: 'Narrow networks on 64-pixel scenes, minutes a run.', config: DEMO },
    overnight: { label: 'Overnight', help: 'Half-width networks on 128-pixel scenes.', config: OVERNIGHT },
    paper: { label: 'Paper', help: 'ResNet-50-FPN on COCO at 1024 pixels; many GPUs.', config: PAPER },
  },
  scale: [
    { label: 'Data', of: ({ data }) => dataName(segmentation, data.kind) },
    { label: 'Images', of: ({ data }) => `${data.imageSize} px` },
    { label: 'Training images', of: ({ data }, found) => trainingText(data.trainingImages, found) },
    {
      label: 'Backbone',
      of: ({ network: { width, depth } }) =>
        width === 1 && depth === 1 ? 'ResNet-50' : `ResNet-50 with width × ${width}, depth × ${depth}`,
    },
    {
      label: 'Pyramid',
      of: ({ network }) => `${network.pyramidChannels} channels, from stride ${network.stride} on`,
    },
    {
      label: 'Heads',
      of: ({ network }) => `${network.boxChannels} channels for boxes, ${network.maskChannels} for masks`,
    },
    {
      label: 'Regions an image',
      of: ({ regions: { anchors, candidates, proposals, rois } }) =>
        `${anchors} anchors drawn, ${candidates} candidates a level, ${proposals} proposals, ${rois} to train on`,
    },
    {
      label: 'Objects an image',
      of: ({ regions }) => `${regions.objects} trained on, ${regions.detections} found, at most`,
    },
    { label: 'Channel groups', of: ({ training }) => `${training.groups}` },
    { label: 'Steps', of: ({ training: { steps, batchSize } }) => `${steps} of ${batchSize} images` },
    { label: 'Learning rate', of: ({ training }) => `${training.learningRate}` },
    { label: 'Weight decay', of: ({ training }) => `${training.weightDecay}` },
    {
      label: 'Images measured',
      of: ({ data }, found) => `${found?.validationImages ?? data.validationImages}`,
    },
  ],
  departures: ({ data }) => [
    ...dataDepartures(segmentation, data.kind),
    'Backbone: pre-activation blocks, so that the layer stands before every convolution of it',
    "Momentum: Nesterov's",
  ],
  // 2: places that objects leave over are filled with background.
  version: 2,
  roughSeconds: ({ data, network, training }) => {
    const size = (data.imageSize / 64) ** 2 * Math.max(0.25, (network.width / 0.25) ** 2)
    return 30 + 0.025 * training.steps * training.batchSize * size
  },
}
