import { createRandom } from '../../../shared/random.ts'
import type { DataSet, ImageSet } from './dataset.ts'

/** Images as float32 `[batch, size, size, 3]`, normalised by channel; labels `[batch]`. */
export type Batch = { readonly images: Float32Array; readonly labels: Int32Array }

/** Mean and deviation a channel, of bytes, on the training images. */
export const channelStatistics = ({ images }: ImageSet): { mean: number[]; deviation: number[] } => {
  const sums = [0, 0, 0]
  const squares = [0, 0, 0]
  for (let i = 0; i < images.length; i++) {
    const value = images[i]!
    sums[i % 3]! += value
    squares[i % 3]! += value * value
  }
  const count = Math.max(1, images.length / 3)
  const mean = sums.map((sum) => sum / count)
  return { mean, deviation: squares.map((sum, c) => Math.sqrt(Math.max(1, sum / count - mean[c]! ** 2))) }
}

/**
 * Endless training batches: a new random order every epoch (the last, smaller batch is left out), random crops
 * after padding by an eighth of the side, random horizontal flips. The same seed gives the same batches.
 */
export function* trainingBatches(
  data: DataSet,
  batchSize: number,
  seed: number,
  augment: boolean,
): Generator<Batch, never> {
  const { training: set, imageSize: size } = data
  if (set.count < batchSize)
    throw new Error(`batches: ${set.count} training images are fewer than a batch of ${batchSize}`)
  const { mean, deviation } = channelStatistics(set)
  const random = createRandom('batches', seed)
  const order = Uint32Array.from({ length: set.count }, (_, i) => i)
  const pad = augment ? Math.round(size / 8) : 0
  for (;;) {
    random.shuffle(order)
    for (let start = 0; start + batchSize <= set.count; start += batchSize) {
      const images = new Float32Array(batchSize * size * size * 3)
      const labels = new Int32Array(batchSize)
      for (let n = 0; n < batchSize; n++) {
        const image = order[start + n]!
        labels[n] = set.labels[image]!
        const [dx, dy] = [random.below(2 * pad + 1) - pad, random.below(2 * pad + 1) - pad]
        const flip = augment && random.next() < 0.5
        for (let y = 0; y < size; y++) {
          const from = y + dy
          if (from < 0 || from >= size) continue
          for (let x = 0; x < size; x++) {
            const column = (flip ? size - 1 - x : x) + dx
            if (column < 0 || column >= size) continue
            for (let c = 0; c < 3; c++)
              images[((n * size + y) * size + x) * 3 + c] =
                (set.images[((image * size + from) * size + column) * 3 + c]! - mean[c]!) / deviation[c]!
          }
        }
      }
      yield { images, labels }
    }
  }
}

/** The validation images in order, in batches of one size; the last one is padded with label −1. */
export function* validationBatches(data: DataSet, batchSize: number): Generator<Batch> {
  const { validation: set, imageSize: size } = data
  const { mean, deviation } = channelStatistics(data.training)
  const bytes = size * size * 3
  for (let start = 0; start < set.count; start += batchSize) {
    const images = new Float32Array(batchSize * bytes)
    const labels = new Int32Array(batchSize).fill(-1)
    const used = Math.min(batchSize, set.count - start)
    for (let i = 0; i < used * bytes; i++) {
      const channel = i % 3
      images[i] = (set.images[start * bytes + i]! - mean[channel]!) / deviation[channel]!
    }
    for (let n = 0; n < used; n++) labels[n] = set.labels[start + n]!
    yield { images, labels }
  }
}
