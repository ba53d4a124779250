import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import { cocoSplits, readCoco } from '../../data/coco.ts'
import type { AnnotatedImage, InstanceSet } from '../../data/instances.ts'
import { shapeScenes } from '../../data/shapes/scenes.ts'

export type SegmentationData = {
  readonly categories: readonly string[]
  /** Those with objects to train on. */
  readonly training: readonly AnnotatedImage[]
  readonly validation: readonly AnnotatedImage[]
}

/** The same scenes for every layer and seed: only training's chance differs. */
export const openData = ({ data }: SegmentationConfig): SegmentationData => {
  if (data.kind === 'shapes') {
    if (data.trainingImages === 0)
      throw new Error('segmentation: scenes are made to order: needed a number of training images, got 0')
    return {
      ...pick(shapeScenes(data.trainingImages, data.imageSize, 'training')),
      validation: shapeScenes(data.validationImages, data.imageSize, 'validation').images,
    }
  }
  if (data.path === undefined) throw new Error('segmentation: COCO needs the path of its folder, got none')
  const splits = cocoSplits(data.path)
  const named = (start: string) => splits.find(({ name }) => name.startsWith(start))
  const [training, validation] = [named('train'), named('val')]
  if (!training)
    throw new Error(
      `coco: ${data.path}: needed a split whose name begins with "train", got ${splits.map(({ name }) => name).join(', ')}`,
    )
  const set = pick(readCoco(training))
  const some = set.training.slice(0, data.trainingImages || undefined)
  const held = validation ? readCoco(validation).images.slice(0, data.validationImages) : some
  return { categories: set.categories, training: some, validation: held }
}

const pick = ({ categories, images }: InstanceSet) => ({ categories, training: images })
