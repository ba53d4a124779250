/** Images from the averaged generator: for measurements, sample grids and the interpolation strip. */
import { setImmediate } from 'node:timers/promises'
import type { SynthesisConfig } from '../../../../shared/transfer.ts'
import type { DataSet } from '../../data/dataset.ts'
import { drawWishes, toBytes, truncatedLatents, type Wishes } from './batches.ts'
import type { Gan } from './gan.ts'
import type { Labelled } from './scores.ts'

export type Sampler = {
  readonly gan: Gan
  readonly config: SynthesisConfig
  readonly data: DataSet
  readonly seed: number
}

/**
 * Passes in training mode before images are made, for standing statistics as BigGAN's (appendix C.1): batch statistics of
 * the averaged weights, taken anew. The layers' own moving average weighs the passes (decay 0.9), not equally as BigGAN.
 */
const SETTLING = 40
/** The size of a sample grid, in pictures. */
const [ROWS, COLUMNS] = [10, 8]

/** Bytes of images, row by row. */
export type Grid = { readonly images: Uint8Array; readonly columns: number }

export const settle = async (sampler: Sampler, step: number): Promise<void> => {
  const { gan, config, data, seed } = sampler
  const { batchSize } = config.training
  for (let pass = 0; pass < SETTLING; pass++) {
    gan.settle(drawWishes(data.training, batchSize, config.network.latent, 'settle', seed, step, pass))
    await setImmediate()
  }
}

/** Bytes of images of any number of wishes; null where one is not finite. */
const imagesOf = async (
  { gan, config }: Sampler,
  { latents, labels }: Wishes,
): Promise<Uint8Array | null> => {
  const { batchSize } = config.training
  const { latent } = config.network
  const bytes = config.data.imageSize ** 2 * 3
  const images = new Uint8Array(labels.length * bytes)
  for (let start = 0; start < labels.length; start += batchSize) {
    const batch = { latents: new Float32Array(batchSize * latent), labels: new Int32Array(batchSize) }
    batch.latents.set(latents.subarray(start * latent, (start + batchSize) * latent))
    batch.labels.set(labels.subarray(start, start + batchSize))
    const values = gan.sample(batch)
    if (!values.every(Number.isFinite)) return null
    const made = toBytes(values)
    images.set(made.subarray(0, Math.min(batchSize, labels.length - start) * bytes), start * bytes)
    await setImmediate()
  }
  return images
}

/** Samples for a measurement: the same latents every time, without truncation, and the held-out images' classes in turn. */
export const measured = async (sampler: Sampler): Promise<Labelled | null> => {
  const { config, data, seed } = sampler
  const count = config.sampling.samples
  const labels = Int32Array.from(
    { length: count },
    (_, n) => data.validation.labels[n % data.validation.count]!,
  )
  const latents = truncatedLatents(count * config.network.latent, 0, 'measure', seed)
  const images = await imagesOf(sampler, { latents, labels })
  return images && { images, labels }
}

/** A class a row: at most ten, spread evenly over all. */
const shownClasses = ({ classes }: DataSet): number[] => {
  const count = Math.min(ROWS, classes.length)
  return Array.from({ length: count }, (_, i) => Math.floor((i * classes.length) / count))
}

/** A class a row, the same latents in each row. */
export const sampleGrid = async (sampler: Sampler): Promise<Grid | null> => {
  const { config, data, seed } = sampler
  const { latent } = config.network
  const row = truncatedLatents(COLUMNS * latent, config.sampling.truncation, 'grid', seed)
  return gridOf(sampler, shownClasses(data), row)
}

/** A class a row, from one latent to another in even steps. */
export const interpolation = async (sampler: Sampler): Promise<Grid | null> => {
  const { config, data, seed } = sampler
  const { latent } = config.network
  const ends = truncatedLatents(2 * latent, config.sampling.truncation, 'strip', seed)
  const row = Float32Array.from({ length: COLUMNS * latent }, (_, i) => {
    const along = Math.floor(i / latent) / (COLUMNS - 1)
    return (1 - along) * ends[i % latent]! + along * ends[latent + (i % latent)]!
  })
  return gridOf(sampler, shownClasses(data), row)
}

const gridOf = async (
  sampler: Sampler,
  classes: readonly number[],
  row: Float32Array,
): Promise<Grid | null> => {
  const labels = Int32Array.from(
    { length: classes.length * COLUMNS },
    (_, n) => classes[Math.floor(n / COLUMNS)]!,
  )
  const latents = new Float32Array(classes.length * row.length)
  classes.forEach((_, i) => latents.set(row, i * row.length))
  const images = await imagesOf(sampler, { latents, labels })
  return images && { images, columns: COLUMNS }
}
