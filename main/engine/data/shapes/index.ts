/**
 * Shapes: the embedded data set, drawn from a seed; nothing to download. Ten outlines, textured, coloured and partly
 * hidden, on cluttered ground, at any size. The same bytes on every machine (see raster.ts).
 */
import { totalmem } from 'node:os'
import { createRandom } from '../../../../shared/random.ts'
import type { DataReport } from '../../../../shared/data.ts'
import type { DataConfig } from '../../../../shared/records.ts'
import type { LoadedData, ImageSet } from '../dataset.ts'
import { SHAPE_NAMES } from './outlines.ts'
import { paintPicture } from './picture.ts'

/** Training images when the config asks for all of them. */
const DEFAULT_TRAINING = 10_000
/** Images to measure on when the config asks for all of those that no search sees. */
const DEFAULT_TEST = 10_000

const heldImages = ({ testImages, validationImages }: DataConfig): number =>
  testImages === undefined ? validationImages : testImages || DEFAULT_TEST

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

/** Throws for more images than the machine's memory can hold, before any is drawn. */
export const reportShapes = (config: DataConfig): DataReport => {
  const training = config.trainingImages || DEFAULT_TRAINING
  const held = heldImages(config)
  const count = training + held
  const bytes = count * 3 * config.imageSize ** 2
  if (bytes > totalmem())
    throw new Error(
      `data: ${count} images of ${config.imageSize}×${config.imageSize} need ${gibibytes(bytes)} of memory, ` +
        `this machine has ${gibibytes(totalmem())}`,
    )
  return {
    classes: SHAPE_NAMES.map((name, i) => ({
      name,
      count: [training, held].reduce((sum, n) => sum + inTurn(n, i), 0),
    })),
    unit: 'images',
    trainingImages: training,
    validationImages: held,
    rule:
      `${training.toLocaleString('en')} generated images for training, ` +
      `${held.toLocaleString('en')} others ${config.testImages === undefined ? 'for validation' : 'that no search sees to measure on'}`,
    splits: [],
    question: null,
    notes: [],
  }
}

/** How many of `n` pictures are of one class, when the classes take turns. */
const inTurn = (n: number, label: number): number =>
  Math.floor(n / SHAPE_NAMES.length) + (label < n % SHAPE_NAMES.length ? 1 : 0)

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

export const loadShapes = (config: DataConfig): LoadedData => ({
  report: reportShapes(config),
  classes: SHAPE_NAMES,
  imageSize: config.imageSize,
  training: drawShapes(config.trainingImages || DEFAULT_TRAINING, config.imageSize, 'training'),
  validation: drawShapes(
    heldImages(config),
    config.imageSize,
    config.testImages === undefined ? 'validation' : 'test',
  ),
})
