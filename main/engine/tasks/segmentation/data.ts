import type { DataReport } from '../../../../shared/data.ts'
import { TRANSFER_TASKS, type SegmentationConfig } from '../../../../shared/transfer.ts'
import { openCoco } from '../../data/cocoFolder.ts'
import type { AnnotatedImage } from '../../data/instances.ts'
import { shapeScenes } from '../../data/shapes/scenes.ts'

export type SegmentationData = {
  readonly categories: readonly string[]
  readonly training: readonly AnnotatedImage[]
  readonly validation: readonly AnnotatedImage[]
}
type Opened = { readonly report: DataReport; readonly data: SegmentationData | null }

/** The same scenes for every layer and seed: only training's chance differs. Throws where the folder is ambiguous. */
export const openData = async (
  config: SegmentationConfig,
): Promise<{ readonly report: DataReport; readonly data: SegmentationData }> => {
  const { report, data } = await inspectData(config)
  if (!data) throw new Error(`data: ${config.data.path}: ${report.question}`)
  return { report, data }
}

/**
 * What the data are, or what has to be asked about them. Kept in memory: every run of a comparison uses the same. `anew`
 * reads the folder again.
 */
export const inspectData = async ({ data }: SegmentationConfig, anew = false): Promise<Opened> => {
  if (!TRANSFER_TASKS.segmentation.dataSets[data.kind]?.needsPath) return scenes(data)
  const { path } = data
  if (path === undefined) throw new Error('segmentation: COCO needs the path of its folder, got none')
  const { imageSize: _, kind: _kind, ...which } = data
  const key = JSON.stringify(which)
  if (anew || kept?.key !== key) {
    const opened = openCoco({ ...which, path })
    const mine = { key, opened }
    kept = mine
    // The folder may be mended, and an answer given.
    const forget = (): void => {
      if (kept === mine) kept = null
    }
    opened.then(({ data }) => data ?? forget(), forget)
  }
  return kept!.opened
}
let kept: { readonly key: string; readonly opened: Promise<Opened> } | null = null

const scenes = (data: SegmentationConfig['data']): Opened => {
  if (data.trainingImages === 0)
    throw new Error('segmentation: scenes are made to order: needed a number of training images, got 0')
  const { categories, images: training } = shapeScenes(data.trainingImages, data.imageSize, 'training')
  const validation = shapeScenes(data.validationImages, data.imageSize, 'validation').images
  return {
    data: { categories, training, validation },
    report: {
      classes: [],
      unit: 'objects',
      trainingImages: training.length,
      validationImages: validation.length,
      rule: `${training.length.toLocaleString('en')} generated scenes for training, ${validation.length.toLocaleString('en')} others for validation`,
      splits: [],
      question: null,
      notes: [],
    },
  }
}
