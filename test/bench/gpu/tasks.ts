import { drawShapes } from '../../../main/engine/data/shapes/index.ts'
import { createBatches } from '../../../main/engine/tasks/segmentation/batches.ts'
import { openData } from '../../../main/engine/tasks/segmentation/data.ts'
import { createDetector } from '../../../main/engine/tasks/segmentation/detector.ts'
import { settingsOf } from '../../../main/engine/tasks/segmentation/settings.ts'
import { createBatches as createPictures, drawWishes } from '../../../main/engine/tasks/synthesis/batches.ts'
import { createGan } from '../../../main/engine/tasks/synthesis/gan.ts'
import { knownLayer } from '../../../shared/known.ts'
import { transferPreset, type SegmentationConfig, type SynthesisConfig } from '../../../shared/transfer.ts'
import type { GpuCase } from './cases.ts'

const CLASSES = 10

/** Both transfer tasks, small: steps of their training, and what their networks give afterwards. */
export const taskCases = (layer: string): readonly GpuCase[] => [
  { name: `segmentation with ${layer}`, run: () => segmentation(layer) },
  { name: `synthesis with ${layer}`, run: () => synthesis(layer) },
]

const segmentation = async (layer: string) => {
  const preset = transferPreset('segmentation', 'demo') as SegmentationConfig
  const config: SegmentationConfig = {
    ...preset,
    data: { kind: 'shapes', imageSize: 64, trainingImages: 4, validationImages: 1 },
    training: { ...preset.training, batchSize: 2 },
  }
  const { data } = await openData(config)
  const settings = settingsOf(config, data.categories.length)
  const batch = await createBatches(data.training, settings, 1).at(0)
  const { training } = config
  const detector = createDetector({ graph: knownLayer(layer).graph, settings, training, seed: 1 })
  const losses = [0, 1].map(() => detector.step(batch, 0.001))
  detector.detect(batch.images)
  detector.dispose()
  return Object.fromEntries(
    (Object.keys(losses[0]!) as (keyof (typeof losses)[number])[]).map((name) => [
      name,
      losses.map((each) => each[name]),
    ]),
  )
}

const synthesis = (layer: string) => {
  const preset = transferPreset('synthesis', 'demo') as SynthesisConfig
  const batchSize = 4
  const config: SynthesisConfig = {
    ...preset,
    data: { ...preset.data, imageSize: 16 },
    network: { ...preset.network, attention: 8 },
    training: { ...preset.training, batchSize },
  }
  const set = drawShapes(batchSize, 16, 'gpu')
  const wishes = drawWishes(set, batchSize, config.network.latent, 'gpu')
  const gan = createGan({ graph: knownLayer(layer).graph, config, classes: CLASSES, seed: 1 })
  const judged = gan.discriminate(createPictures(set, batchSize, 1)(1), wishes, 1)
  const generated = gan.generate(wishes, 1)
  gan.average(0.9)
  gan.settle(wishes)
  const images = gan.sample(wishes)
  gan.dispose()
  return { losses: [judged, generated], images }
}
