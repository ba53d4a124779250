/**
 * What a step is given, named by its place in the run: any step's batch can be made without those before it, so that a
 * run that resumes needs no more than the number of its step.
 */
import { createRandom } from '../../../../shared/random.ts'
import type { ImageSet } from '../../data/dataset.ts'

/** Images `[batch, side, side, 3]` in −1..1, and their classes. */
export type Pictures = { readonly images: Float32Array; readonly labels: Int32Array }
/** What the generator is asked for: latents `[batch, latent]` and classes `[batch]`. */
export type Wishes = { readonly latents: Float32Array; readonly labels: Int32Array }

/** Images of bytes in −1..1, as the generator makes them. */
export const fromBytes = (bytes: Uint8Array): Float32Array => {
  const images = new Float32Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) images[i] = bytes[i]! / 127.5 - 1
  return images
}
/** Rounded, as pictures are kept. */
export const toBytes = (images: Float32Array): Uint8Array => {
  const bytes = new Uint8Array(images.length)
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Math.min(255, Math.max(0, Math.round((images[i]! + 1) * 127.5)))
  return bytes
}

/** Images of a set by their numbers. */
export const pick = (set: ImageSet, numbers: ArrayLike<number>): Pictures => {
  const bytes = set.images.length / set.count
  const images = new Uint8Array(numbers.length * bytes)
  const labels = new Int32Array(numbers.length)
  for (let n = 0; n < numbers.length; n++) {
    const from = numbers[n]!
    images.set(set.images.subarray(from * bytes, (from + 1) * bytes), n * bytes)
    labels[n] = set.labels[from]!
  }
  return { images: fromBytes(images), labels }
}

/**
 * Batch `index` (from 0) of an endless run through a set: a new random order every epoch, what is left over at its end
 * left out. No augmentation.
 */
export const createBatches = (
  set: ImageSet,
  batchSize: number,
  seed: number,
): ((index: number) => Pictures) => {
  const perEpoch = Math.floor(set.count / batchSize)
  if (perEpoch < 1)
    throw new Error(`synthesis: ${set.count} training images are fewer than a batch of ${batchSize}`)
  let shuffled = { epoch: -1, order: new Uint32Array() }
  return (index) => {
    const epoch = Math.floor(index / perEpoch)
    if (shuffled.epoch !== epoch) {
      const order = Uint32Array.from({ length: set.count }, (_, i) => i)
      shuffled = { epoch, order: createRandom('synthesis/order', seed, epoch).shuffle(order) }
    }
    const start = (index % perEpoch) * batchSize
    return pick(set, shuffled.order.subarray(start, start + batchSize))
  }
}

/** `count` wishes: normal latents, and classes as they occur in the set. `keys` name the batch. */
export const drawWishes = (
  set: ImageSet,
  count: number,
  latent: number,
  ...keys: (string | number)[]
): Wishes => {
  const random = createRandom('synthesis', ...keys)
  return {
    latents: Float32Array.from({ length: count * latent }, () => random.normal()),
    labels: Int32Array.from({ length: count }, () => set.labels[random.below(set.count)]!),
  }
}

/** Normal latents; those beyond `truncation` are drawn again (0: none are). Source: Brock et al. 2019, section 3.1. */
export const truncatedLatents = (
  count: number,
  truncation: number,
  ...keys: (string | number)[]
): Float32Array => {
  const random = createRandom('synthesis', ...keys)
  return Float32Array.from({ length: count }, () => {
    let value = random.normal()
    while (truncation > 0 && Math.abs(value) > truncation) value = random.normal()
    return value
  })
}
