import { drawShapes } from '../../../main/engine/data/shapes/index.ts'
import { createBatches } from '../../../main/engine/tasks/segmentation/batches.ts'
import { openData } from '../../../main/engine/tasks/segmentation/data.ts'
import { createDetector } from '../../../main/engine/tasks/segmentation/detector.ts'
import { settingsOf } from '../../../main/engine/tasks/segmentation/settings.ts'
import { createBatches as createPictures, drawWishes } from '../../../main/engine/tasks/synthesis/batches.ts'
import { createClassifier } from '../../../main/engine/tasks/synthesis/classifier.ts'
import { createGan } from '../../../main/engine/tasks/synthesis/gan.ts'
import { knownLayer } from '../../../shared/known.ts'
import { transferPreset, type SegmentationConfig, type SynthesisConfig } from '../../../shared/transfer.ts'
import type { HeapCase } from './cases.ts'

const CLASSES = 10
const PRESET_NAMES = ['demo', 'overnight'] as const

/** The transfer tasks' networks: Mask R-CNN, BigGAN and the classifier that judges its images. */
export const taskCases = (short: boolean): HeapCase[] => {
  const ways = short ? [false] : [true, false]
  const presets = short ? PRESET_NAMES.slice(0, 1) : PRESET_NAMES
  return presets.flatMap((preset) => {
    const segmentation = transferPreset('segmentation', preset) as SegmentationConfig
    const synthesis = transferPreset('synthesis', preset) as SynthesisConfig
    return ways.flatMap((eager) => [
      ...(short ? [] : ([2, 4] as const)).flatMap((stride) =>
        [64, 96, 128].map((side) => detectorCase(segmentation, stride, side, eager)),
      ),
      ...(short ? ([16] as const) : ([16, 32, 64] as const)).flatMap((side) => [
        ganCase(synthesis, side, eager),
        ...(eager || short ? [] : [classifierCase(side)]),
      ]),
    ])
  })
}

const detectorCase = (preset: SegmentationConfig, stride: 2 | 4, side: number, eager: boolean): HeapCase => ({
  name: `Mask R-CNN of the preset ${preset.preset}, stride ${stride}, side ${side}, ${eager ? 'eager' : 'recorded'}`,
  run: async () => {
    const { regions } = preset
    const config: SegmentationConfig = {
      ...preset,
      data: { kind: 'shapes', imageSize: side, trainingImages: 2, validationImages: 1 },
      network: { ...preset.network, stride },
      regions: { ...regions, anchors: 64, candidates: 60, proposals: 24, rois: 16 },
      training: { ...preset.training, batchSize: 1 },
    }
    const { data } = await openData(config)
    const settings = settingsOf(config, data.categories.length)
    const batch = await createBatches(data.training, settings, 1).at(0)
    const detector = createDetector({
      graph: knownLayer('EvoNorm-B0').graph,
      settings,
      training: config.training,
      seed: 1,
      eager,
    })
    detector.step(batch, 0.001)
    detector.detect(batch.images)
    detector.dispose()
  },
})

const ganCase = (preset: SynthesisConfig, side: 16 | 32 | 64, eager: boolean): HeapCase => ({
  name: `BigGAN of the preset ${preset.preset}, side ${side}, ${eager ? 'eager' : 'recorded'}`,
  run: () => {
    const batchSize = 3
    const config: SynthesisConfig = {
      ...preset,
      data: { ...preset.data, imageSize: side },
      network: { ...preset.network, attention: side / 2 },
      training: { ...preset.training, batchSize },
    }
    const set = drawShapes(batchSize, side, 'bench')
    const wishes = drawWishes(set, batchSize, config.network.latent, 'bench')
    const gan = createGan({ graph: knownLayer('EvoNorm-B0').graph, config, classes: CLASSES, seed: 1, eager })
    gan.discriminate(createPictures(set, batchSize, 1)(1), wishes, 1)
    gan.generate(wishes, 1)
    gan.average(0.9)
    gan.settle(wishes)
    gan.sample(wishes)
    gan.dispose()
  },
})

const classifierCase = (side: number): HeapCase => ({
  name: `the classifier of generated images, side ${side}`,
  run: async () => {
    const set = drawShapes(64, side, 'bench')
    const classifier = createClassifier(side, CLASSES)
    const { images, labels } = createPictures(set, 64, 1)(1)
    classifier.step(images, labels, 0.01)
    await classifier.judge(set.images, 64)
    classifier.dispose()
  },
})
