/** Training batches: which images, mirrored or not, which anchors; all of it decided by the seed and the step alone. */
import { createRandom, type Random } from '../../../../shared/random.ts'
import type { AnnotatedImage } from '../../data/instances.ts'
import { mirrored, prepareImage, writeNormalised, type PreparedImage } from './images.ts'
import { matchAnchors, sampleAnchors } from './matching.ts'
import { OBJECT_MASK_SIDE, type Settings } from './settings.ts'

/** See BatchTensors in objective.ts. */
export type Batch = {
  readonly images: Float32Array
  readonly anchors: Int32Array
  readonly anchorObject: Int32Array
  readonly boxes: Float32Array
  readonly classes: Int32Array
  readonly masks: Float32Array
  readonly chance: Float32Array
}

/** Prepared images are kept up to so many bytes of pixels. */
const KEPT_BYTES = 256 * 2 ** 20

export type Batches = {
  /** The batch of a step, from 0 on. */
  at(step: number): Promise<Batch>
}

/** Images are taken in a new random order every epoch; batches run on over its end. */
export const createBatches = (
  images: readonly AnnotatedImage[],
  settings: Settings,
  seed: number,
): Batches => {
  const { batchSize, imageSize, regions } = settings
  if (images.length === 0) throw new Error('segmentation: needed training images, got none')
  const kept = new Map<number, PreparedImage>()
  const room = Math.floor(KEPT_BYTES / (3 * imageSize ** 2))
  const prepared = async (index: number): Promise<PreparedImage> => {
    const known = kept.get(index)
    if (known) return known
    const made = await prepareImage(images[index]!, imageSize, regions.objects)
    if (kept.size < room) kept.set(index, made)
    return made
  }
  let order = { epoch: -1, of: new Uint32Array() }
  const indexOf = (n: number): number => {
    const epoch = Math.floor(n / images.length)
    if (order.epoch !== epoch)
      order = {
        epoch,
        of: createRandom('segmentation order', seed, epoch).shuffle(Uint32Array.from(images.keys())),
      }
    return order.of[n % images.length]!
  }
  return {
    at: async (step) => {
      const random = createRandom('segmentation batch', seed, step)
      const batch = emptyBatch(settings)
      for (let n = 0; n < batchSize; n++) {
        const image = await prepared(indexOf(step * batchSize + n))
        writeImage(random.next() < 0.5 ? mirrored(image) : image, batch, n, settings, random)
      }
      for (let i = 0; i < batch.chance.length; i++) batch.chance[i] = random.next()
      return batch
    },
  }
}

const emptyBatch = ({ batchSize: n, imageSize, regions }: Settings): Batch => ({
  images: new Float32Array(n * imageSize ** 2 * 3),
  anchors: new Int32Array(n * regions.anchors),
  anchorObject: new Int32Array(n * regions.anchors),
  boxes: new Float32Array(n * regions.objects * 4),
  classes: new Int32Array(n * regions.objects),
  masks: new Float32Array(n * regions.objects * OBJECT_MASK_SIDE ** 2),
  chance: new Float32Array(n * (regions.proposals + regions.objects)),
})

const writeImage = (
  image: PreparedImage,
  batch: Batch,
  n: number,
  settings: Settings,
  random: Random,
): void => {
  const { regions, anchors } = settings
  const { pixels, boxes, classes, masks } = image
  writeNormalised(pixels, batch.images, n)
  const sample = sampleAnchors(matchAnchors(anchors, boxes), regions.anchors, random)
  batch.anchors.set(sample.anchors, n * regions.anchors)
  batch.anchorObject.set(sample.object, n * regions.anchors)
  batch.boxes.set(boxes, n * regions.objects * 4)
  batch.classes.set(classes, n * regions.objects)
  masks.forEach((mask, i) => batch.masks.set(mask, (n * regions.objects + i) * OBJECT_MASK_SIDE ** 2))
}
