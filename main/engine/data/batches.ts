/**
 * Batches of images, made on the training thread, which costs 0.05 ms of the demo's steps of 10 ms and 0.3 ms of the
 * overnight preset's, hundreds of ms each. A thread that makes them ahead (measured with node:worker_threads, buffers
 * transferred) leaves 0.03 or 0.04 ms to the training thread, but takes 0.3 or 0.9 ms in all: with a worker on every core
 * it would slow down the search. The images stay in memory as bytes, whole, a table turning each into a float.
 */
import { createRandom } from '../../../shared/random.ts'
import type { DataSet, ImageSet } from './dataset.ts'

/** Images as float32 `[batch, size, size, 3]`, normalised by channel; labels `[batch]`. */
export type Batch = { readonly images: Float32Array; readonly labels: Int32Array }

/** Mean and deviation a channel, of bytes. */
export const channelStatistics = ({ images }: ImageSet): { mean: number[]; deviation: number[] } => {
  const counts = [0, 1, 2].map(() => new Float64Array(256))
  for (let i = 0; i < images.length; i += 3) for (let c = 0; c < 3; c++) counts[c]![images[i + c]!]! += 1
  const pixels = Math.max(1, images.length / 3)
  const moment = (count: Float64Array, power: number) =>
    count.reduce((sum, n, byte) => sum + n * byte ** power, 0) / pixels
  const mean = counts.map((count) => moment(count, 1))
  const deviation = counts.map((count, c) => Math.sqrt(Math.max(1, moment(count, 2) - mean[c]! ** 2)))
  return { mean, deviation }
}

/** The number that each byte becomes, a table a channel, by the training images' statistics; worked out once a data set. */
const normalisation = ({ training }: DataSet): Float32Array[] => {
  let tables = known.get(training)
  if (!tables) {
    const { mean, deviation } = channelStatistics(training)
    tables = mean.map((centre, c) =>
      Float32Array.from({ length: 256 }, (_, i) => (i - centre) / deviation[c]!),
    )
    known.set(training, tables)
  }
  return tables
}
const known = new WeakMap<ImageSet, Float32Array[]>()

/**
 * Endless training batches: a new random order every epoch (the last, smaller batch is left out), random crops
 * after padding by an eighth of the side, random horizontal flips. The same seed gives the same batches; `skipped` ones
 * are drawn, but not made.
 */
export function* trainingBatches(
  data: DataSet,
  batchSize: number,
  seed: number,
  augment: boolean,
  skipped = 0,
): Generator<Batch, never> {
  const { training: set, imageSize: size } = data
  const bytes = set.images
  if (set.count < batchSize)
    throw new Error(`batches: ${set.count} training images are fewer than a batch of ${batchSize}`)
  const [red, green, blue] = normalisation(data) as [Float32Array, Float32Array, Float32Array]
  const random = createRandom('batches', seed)
  const order = Uint32Array.from({ length: set.count }, (_, i) => i)
  const pad = augment ? Math.round(size / 8) : 0
  let left = skipped
  for (;;) {
    random.shuffle(order)
    for (let start = 0; start + batchSize <= set.count; start += batchSize) {
      // What the padding leaves is 0: the mean.
      const images = new Float32Array(left > 0 ? 0 : batchSize * size * size * 3)
      const labels = new Int32Array(batchSize)
      for (let n = 0; n < batchSize; n++) {
        const image = order[start + n]!
        labels[n] = set.labels[image]!
        const [dx, dy] = [random.below(2 * pad + 1) - pad, random.below(2 * pad + 1) - pad]
        const flip = augment && random.next() < 0.5
        if (left > 0) continue
        // Columns of the image that are seen: the inner loop decides nothing.
        const [first, last] = [Math.max(0, dx), Math.min(size, size + dx)]
        const step = flip ? -3 : 3
        for (let y = Math.max(0, -dy); y < Math.min(size, size - dy); y++) {
          const row = (n * size + y) * size
          let to = 3 * (flip ? row + size - 1 - (first - dx) : row + first - dx)
          let from = 3 * ((image * size + y + dy) * size + first)
          for (const end = from + 3 * (last - first); from < end; from += 3, to += step) {
            images[to] = red[bytes[from]!]!
            images[to + 1] = green[bytes[from + 1]!]!
            images[to + 2] = blue[bytes[from + 2]!]!
          }
        }
      }
      if (left > 0) left--
      else yield { images, labels }
    }
  }
}

/** The validation images in order, in batches of one size; the last one is padded with label −1. */
export function* validationBatches(data: DataSet, batchSize: number): Generator<Batch> {
  const { validation: set, imageSize: size } = data
  const tables = normalisation(data)
  const bytes = size * size * 3
  for (let start = 0; start < set.count; start += batchSize) {
    const images = new Float32Array(batchSize * bytes)
    const labels = new Int32Array(batchSize).fill(-1)
    const used = Math.min(batchSize, set.count - start)
    for (let i = 0; i < used * bytes; i++) images[i] = tables[i % 3]![set.images[start * bytes + i]!]!
    labels.set(set.labels.subarray(start, start + used))
    yield { images, labels }
  }
}
