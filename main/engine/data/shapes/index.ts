/**
 * Shapes: the embedded data set, drawn from a seed; nothing to download. Ten outlines, textured, coloured and partly
 * hidden, on cluttered ground, at any size. The same bytes on every machine (see raster.ts).
 */
import { createRandom } from '../../../../shared/random.ts'
import type { DataConfig } from '../../../../shared/records.ts'
import type { DataSet, ImageSet } from '../dataset.ts'
import { SHAPE_NAMES } from './outlines.ts'
import { paintPicture } from './picture.ts'

/** Training images when the config asks for all of them. */
const DEFAULT_TRAINING = 10_000

/** `count` pictures, classes in turn. `seed` names the set: others give other pictures of the same kind. */
export const drawShapes = (count: number, side: number, seed: string): ImageSet => {
  const bytes = side * side * 3
  const images = new Uint8Array(count * bytes)
  const labels = Uint8Array.from({ length: count }, (_, n) => n % SHAPE_NAMES.length)
  labels.forEach((label, n) =>
    paintPicture(
      SHAPE_NAMES[label]!,
      side,
      createRandom('shapes', seed, n),
      images.subarray(n * bytes, (n + 1) * bytes),
    ),
  )
  return { images, labels, count }
}

export const countShapes = (config: DataConfig): { classes: string[]; images: number } => ({
  classes: [...SHAPE_NAMES],
  images: config.validationImages + (config.trainingImages || DEFAULT_TRAINING),
})

export const loadShapes = (config: DataConfig): DataSet => ({
  classes: SHAPE_NAMES,
  imageSize: config.imageSize,
  training: drawShapes(config.trainingImages || DEFAULT_TRAINING, config.imageSize, 'training'),
  validation: drawShapes(config.validationImages, config.imageSize, 'validation'),
})
