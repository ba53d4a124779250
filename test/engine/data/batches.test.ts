import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channelStatistics, trainingBatches, validationBatches } from '../../../main/engine/data/batches.ts'
import type { DataSet, ImageSet } from '../../../main/engine/data/dataset.ts'
import { createRandom } from '../../../shared/random.ts'

const SIZE = 8
const BYTES = SIZE * SIZE * 3

/** Images of noise whose labels are their numbers, so that a batch says which images it took. */
const noise = (count: number, seed: string): ImageSet => {
  const random = createRandom(seed)
  return {
    images: Uint8Array.from({ length: count * BYTES }, (_, i) => random.below([100, 200, 256][i % 3]!)),
    labels: Uint8Array.from({ length: count }, (_, i) => i),
    count,
  }
}
const data: DataSet = {
  classes: ['a', 'b'],
  imageSize: SIZE,
  training: noise(20, 'training'),
  validation: noise(7, 'validation'),
}
const { mean, deviation } = channelStatistics(data.training)
const normalised = (set: ImageSet, image: number, y: number, x: number, c: number): number =>
  (set.images[image * BYTES + (y * SIZE + x) * 3 + c]! - mean[c]!) / deviation[c]!

const take = (count: number, seed: number, augment: boolean, size = 6) => {
  const batches = trainingBatches(data, size, seed, augment)
  return Array.from({ length: count }, () => batches.next().value)
}

test('statistics are the mean and deviation of each channel', () => {
  const images = Uint8Array.of(0, 10, 255, 4, 10, 253)
  assert.deepEqual(channelStatistics({ images, labels: Uint8Array.of(0), count: 1 }), {
    mean: [2, 10, 254],
    // A channel of one value has deviation 1, not 0.
    deviation: [2, 1, 1],
  })
})

test('training images have mean 0 and deviation 1 by channel', () => {
  const { images } = take(1, 1, false, 20)[0]!
  for (let c = 0; c < 3; c++) {
    const channel = images.filter((_, i) => i % 3 === c)
    const sum = channel.reduce((a, b) => a + b, 0)
    const squares = channel.reduce((a, b) => a + b * b, 0)
    assert.ok(Math.abs(sum / channel.length) < 1e-5)
    assert.ok(Math.abs(squares / channel.length - 1) < 1e-5)
  }
})

test('the same seed gives the same batches, another seed others', () => {
  assert.deepEqual(take(5, 3, true), take(5, 3, true))
  assert.notDeepEqual(take(5, 3, true), take(5, 4, true))
})

test('an epoch takes every image once, in an order that changes; its smaller last batch is left out', () => {
  const labels = take(6, 1, false).map((batch) => [...batch.labels])
  const epochs = [labels.slice(0, 3).flat(), labels.slice(3).flat()]
  for (const epoch of epochs) assert.equal(new Set(epoch).size, 18)
  assert.notDeepEqual(epochs[0], epochs[1])
})

test('without augmentation the images are as they are', () => {
  for (const { images, labels } of take(3, 1, false))
    images.forEach((value, i) => {
      const [n, y, x, c] = [
        Math.floor(i / BYTES),
        Math.floor(i / SIZE / 3) % SIZE,
        Math.floor(i / 3) % SIZE,
        i % 3,
      ]
      assert.ok(Math.abs(value - normalised(data.training, labels[n]!, y, x, c)) < 1e-6)
    })
})

test('augmentation moves images by up to an eighth, fills with the mean, and flips half of them', () => {
  let flips = 0
  const moves = new Set<string>()
  const batches = take(50, 1, true)
  for (const { images, labels } of batches)
    labels.forEach((label, n) => {
      const found = [-1, 0, 1].flatMap((dy) =>
        [-1, 0, 1].flatMap((dx) =>
          [false, true]
            .filter((flip) => isMoved(images.subarray(n * BYTES, (n + 1) * BYTES), label, dx, dy, flip))
            .map((flip) => ({ move: `${dx},${dy}`, flip })),
        ),
      )
      assert.equal(found.length, 1, `image ${label} is moved in ${found.length} ways`)
      moves.add(found[0]!.move)
      if (found[0]!.flip) flips++
    })
  assert.equal(moves.size, 9)
  assert.ok(flips > 120 && flips < 180, `${flips} of 300`)
})

/** Whether `image` is a training image, flipped or not, looked at from (dx, dy). */
const isMoved = (image: Float32Array, label: number, dx: number, dy: number, flip: boolean): boolean =>
  image.every((value, i) => {
    const [y, x, c] = [Math.floor(i / SIZE / 3), Math.floor(i / 3) % SIZE, i % 3]
    const row = y + dy
    const column = (flip ? SIZE - 1 - x : x) + dx
    const outside = row < 0 || column < 0 || row >= SIZE || column >= SIZE
    return Math.abs(value - (outside ? 0 : normalised(data.training, label, row, column, c))) < 1e-6
  })

test('validation images come in order, normalised as the training images are; the last batch is padded', () => {
  const batches = [...validationBatches(data, 3)]
  assert.deepEqual(
    batches.flatMap(({ labels }) => [...labels]),
    [0, 1, 2, 3, 4, 5, 6, -1, -1],
  )
  assert.ok(batches.every(({ images }) => images.length === 3 * BYTES))
  assert.ok(Math.abs(batches[1]!.images[BYTES + 5]! - normalised(data.validation, 4, 0, 1, 2)) < 1e-6)
  assert.ok(batches[2]!.images.subarray(BYTES).every((value) => value === 0))
})

test('a batch larger than the training set is an error', () => {
  assert.throws(() => take(1, 1, true, 21), /20 training images are fewer than a batch of 21/)
})

test('skipped batches are drawn, so that those after them are the same, over the ends of epochs too', () => {
  for (const augment of [true, false]) {
    const all = take(9, 4, augment)
    for (const skipped of [1, 3, 7]) {
      const batches = trainingBatches(data, 6, 4, augment, skipped)
      assert.deepEqual(batches.next().value, all[skipped])
      assert.deepEqual(batches.next().value, all[skipped + 1])
    }
  }
})
