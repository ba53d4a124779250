import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { channelStatistics } from '../../../main/engine/data/batches.ts'
import type { ImageSet } from '../../../main/engine/data/dataset.ts'
import { checkData, loadData } from '../../../main/engine/data/index.ts'
import { drawShapes } from '../../../main/engine/data/shapes/index.ts'
import { SHAPE_NAMES } from '../../../main/engine/data/shapes/outlines.ts'
import { coverage, direction } from '../../../main/engine/data/shapes/raster.ts'
import { loadRuntime, type Tensor } from '../../../main/engine/runtime.ts'
import type { DataConfig } from '../../../shared/records.ts'

const CONFIG: DataConfig = { kind: 'shapes', validationImages: 30, trainingImages: 50, imageSize: 32 }
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

test('a seed gives the same bytes on every machine', () => {
  assert.equal(digest(drawShapes(100, 32, 'training').images), '4a4069d3b5ed5ea6')
  assert.equal(digest(drawShapes(20, 48, 'validation').images), '11a7abbe910021c0')
})

test('more pictures begin with the fewer; another seed gives others', () => {
  const { images } = drawShapes(12, 32, 'a')
  assert.deepEqual(images.subarray(0, 4 * 3072), drawShapes(4, 32, 'a').images)
  assert.notDeepEqual(images, drawShapes(12, 32, 'b').images)
})

test('more pictures than there is memory for are refused before any is drawn', async () => {
  const most = { ...CONFIG, validationImages: 2 ** 31 - 1, imageSize: 512 }
  for (const what of [loadData, checkData])
    await assert.rejects(
      async () => what(most),
      /^Error: data: 2147483697 images of 512×512 need \d+\.\d GiB of memory, this machine has \d+/,
    )
})

test('every class has the same number of pictures, and no two pictures are equal', async () => {
  const { classes, training, validation } = await loadData(CONFIG)
  assert.deepEqual(classes, SHAPE_NAMES)
  for (const [set, each] of [[training, 5] as const, [validation, 3] as const])
    for (let label = 0; label < 10; label++)
      assert.equal(set.labels.filter((other) => other === label).length, each)
  const pictures = [training, validation].flatMap(({ images, count }) =>
    Array.from({ length: count }, (_, n) => digest(images.subarray(n * 3072, (n + 1) * 3072))),
  )
  assert.equal(new Set(pictures).size, 80)
})

test('a config that asks for all images gets ten thousand', async () => {
  const { trainingImages, classes } = await checkData({ ...CONFIG, trainingImages: 0 })
  assert.equal(trainingImages, 10_000)
  assert.deepEqual(
    classes.map(({ count }) => count),
    Array<number>(10).fill(1003),
  )
})

test('a contour covers its exact area, holes left out, parts past the edge cut off', () => {
  const box = (x: number, y: number, side: number) => [x, y, x + side, y, x + side, y + side, x, y + side]
  const area = (contours: number[][]) => coverage(contours, 8, 8).reduce((a, b) => a + b, 0)
  assert.ok(Math.abs(area([box(1.25, 2.5, 3.5)]) - 3.5 ** 2) < 1e-5)
  const hole = [2, 3, 2, 4, 3, 4, 3, 3]
  assert.ok(Math.abs(area([box(1, 2, 4), hole]) - 15) < 1e-5)
  assert.ok(Math.abs(area([box(-2, 6.5, 4)]) - 2 * 1.5) < 1e-5)
  const circle = Array.from({ length: 64 }, (_, i) => direction(i / 64).map((v) => 4 + 3 * v)).flat()
  assert.ok(Math.abs(area([circle]) - 32 * 9 * Math.sin(Math.PI / 32)) < 1e-4)
})

test('softmax regression on the pixels of ten thousand pictures stays under 60 %', () => {
  const accuracy = softmaxRegression(drawShapes(10_000, 32, 'training'), drawShapes(1000, 32, 'validation'))
  // Half a hundred steps of L-BFGS on the same loss, in PyTorch: 49 to 51 % by the weight of the penalty.
  assert.ok(accuracy > 0.4 && accuracy < 0.6, `got ${accuracy}`)
})

/** Accuracy on `test` of a linear classifier fitted to `training` by SGD with momentum and an L2 penalty. */
const softmaxRegression = (training: ImageSet, test: ImageSet): number => {
  const { tf } = loadRuntime()
  const { mean, deviation } = channelStatistics(training)
  const size = training.images.length / training.count
  const pixels = (set: ImageSet, from: number, count: number): Tensor =>
    tf.tensor2d(
      Float32Array.from(
        set.images.subarray(from * size, (from + count) * size),
        (v, i) => (v - mean[i % 3]!) / deviation[i % 3]!,
      ),
      [count, size],
    )
  const [penalty, batch, epochs] = [0.3, 500, 8]
  const steps = (epochs * training.count) / batch
  return tf.tidy(() => {
    const batches = Array.from({ length: training.count / batch }, (_, i) => ({
      x: pixels(training, i * batch, batch),
      y: tf.oneHot(Int32Array.from(training.labels.subarray(i * batch, (i + 1) * batch)), 10).cast('float32'),
    }))
    let w: Tensor = tf.zeros([size, 10])
    let b: Tensor = tf.zeros([10])
    let velocity: Tensor = tf.zeros([size, 10])
    for (let step = 0; step < steps; step++) {
      const next = tf.tidy(() => {
        const { x, y } = batches[step % batches.length]!
        const error = tf.softmax(x.matMul(w).add(b)).sub(y).div(batch)
        const rate = 0.002 * (1 - step / steps)
        const v = velocity.mul(0.9).add(x.matMul(error, true).add(w.mul(penalty)))
        return [w.sub(v.mul(rate)), b.sub(error.sum(0).mul(rate)), v] as const
      }) as unknown as [Tensor, Tensor, Tensor]
      for (const old of [w, b, velocity]) old.dispose()
      ;[w, b, velocity] = next
    }
    const guesses = pixels(test, 0, test.count).matMul(w).add(b).argMax(1).dataSync()
    return test.labels.filter((label, n) => guesses[n] === label).length / test.count
  })
}

test('what is verified on is drawn anew: no picture that a search trains or validates on', async () => {
  const hashes = ({ images, count }: ImageSet): string[] =>
    Array.from({ length: count }, (_, i) => digest(images.subarray(i * 3072, (i + 1) * 3072)))
  const searched = await loadData(CONFIG)
  const { training, validation } = await loadData({ ...CONFIG, testImages: 40 })
  assert.deepEqual(training, searched.training)
  const seen = new Set([searched.training, searched.validation].flatMap(hashes))
  assert.equal(validation.count, 40)
  assert.ok(hashes(validation).every((hash) => !seen.has(hash)))
})
