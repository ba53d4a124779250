import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../../../main/engine/gradients/index.ts'
import { loadRuntime, type Variable } from '../../../../main/engine/runtime.ts'
import {
  createBatches,
  drawWishes,
  fromBytes,
  toBytes,
  truncatedLatents,
} from '../../../../main/engine/tasks/synthesis/batches.ts'
import { collapse } from '../../../../main/engine/tasks/synthesis/endings.ts'
import { divergence } from '../../../../main/engine/tasks/training.ts'
import { chunksOf } from '../../../../main/engine/tasks/synthesis/generator.ts'
import { discriminatorLoss, generatorLoss } from '../../../../main/engine/tasks/synthesis/losses.ts'
import { orthogonalMatrix, orthogonalPenalty } from '../../../../main/engine/tasks/synthesis/orthogonal.ts'
import { discriminatorBlocks, generatorBlocks } from '../../../../main/engine/tasks/synthesis/plan.ts'
import { agreementOf } from '../../../../main/engine/tasks/synthesis/scores.ts'
import { spectralNormal } from '../../../../main/engine/tasks/synthesis/spectral.ts'
import { createRandom } from '../../../../shared/random.ts'

const { tf } = loadRuntime()
registerGradients()
const numbers = (tensor: { dataSync(): ArrayLike<number> }): number[] => [...Array.from(tensor.dataSync())]
const variable = (values: number[], shape: number[]): Variable => tf.variable(tf.tensor(values, shape))

test('spectral normalisation divides by the largest singular value, once its direction is found', () => {
  // diag(3, 1) turned on either side by orthogonal matrices: singular values 3 and 1.
  const [left, right] = [
    orthogonalMatrix(6, 2, createRandom('left')),
    orthogonalMatrix(2, 2, createRandom('right')),
  ]
  const weight = Array.from({ length: 12 }, (_, i) => {
    const [row, column] = [Math.floor(i / 2), i % 2]
    return 3 * left[row * 2]! * right[column * 2]! + left[row * 2 + 1]! * right[column * 2 + 1]!
  })
  const filter = variable(weight, [1, 2, 3, 2])
  const direction = variable([1, 0.5], [2])
  for (let i = 0; i < 15; i++) spectralNormal(filter, direction, { training: true })
  const before = numbers(direction)
  const got = numbers(spectralNormal(filter, direction, { training: false }))
  got.forEach((value, i) => assert.ok(Math.abs(value - weight[i]! / 3) < 1e-5))
  assert.deepEqual(numbers(direction), before, 'inference leaves the direction alone')
})

test('orthogonal regularisation is the sum of squares off the diagonal of WᵀW', () => {
  // WᵀW = [[1, 1], [1, 2]]: 1² + 1².
  assert.deepEqual(numbers(orthogonalPenalty([variable([1, 1, 0, 1], [2, 2])])), [2])
  // Columns of any length at right angles cost nothing; weights add up.
  const free = variable([5, 0, 0, 7], [1, 1, 2, 2])
  assert.deepEqual(numbers(orthogonalPenalty([free, variable([1, 1, 0, 1], [2, 2])])), [2])
})

test('initial matrices have orthonormal rows or columns, whichever are fewer', () => {
  for (const [rows, columns] of [
    [5, 3],
    [3, 5],
    [4, 4],
  ] as const) {
    const matrix = tf.tensor2d(orthogonalMatrix(rows, columns, createRandom(rows, columns)), [rows, columns])
    const gram = tf.matMul(matrix, matrix, rows >= columns, rows < columns)
    const off = numbers(
      gram
        .sub(tf.eye(Math.min(rows, columns)))
        .abs()
        .max(),
    )[0]!
    assert.ok(off < 1e-6)
  }
})

test('hinge losses: scores past ±1 in the right direction cost the discriminator nothing', () => {
  // Real: max(0, 1 − 2), max(0, 1 − 0.5); fake: max(0, 1 − 3), max(0, 1 + 1).
  assert.deepEqual(numbers(discriminatorLoss(tf.tensor1d([2, 0.5]), tf.tensor1d([-3, 1]))), [0.25 + 1])
  assert.deepEqual(numbers(generatorLoss(tf.tensor1d([-3, 1]))), [1])
})

test('latents are shared out evenly, what is left over to the first layer', () => {
  assert.deepEqual(chunksOf(120, 6), [20, 20, 20, 20, 20, 20])
  assert.deepEqual(chunksOf(10, 4), [4, 2, 2, 2])
  assert.throws(() => chunksOf(3, 4), /4 places need a latent each, got 3/)
})

test('blocks are those of BigGAN at 128 pixels', () => {
  assert.deepEqual(
    generatorBlocks(128, 96).map(({ from, to, side }) => [from, to, side]),
    [
      [1536, 1536, 8],
      [1536, 768, 16],
      [768, 384, 32],
      [384, 192, 64],
      [192, 96, 128],
    ],
  )
  assert.deepEqual(
    discriminatorBlocks(128, 96).map(({ from, to, side }) => [from, to, side]),
    [
      [3, 96, 64],
      [96, 192, 32],
      [192, 384, 16],
      [384, 768, 8],
      [768, 1536, 4],
      [1536, 1536, 4],
    ],
  )
  assert.throws(() => generatorBlocks(48, 96), /needs images of 16, 32, 64, 128 pixels a side, got 48/)
})

const SET = {
  images: Uint8Array.from({ length: 7 * 3 }, (_, i) => Math.floor(i / 3)),
  labels: Uint8Array.of(0, 1, 2, 3, 4, 5, 6),
  count: 7,
}

test('an epoch shows each image once, and any batch can be made alone', () => {
  const batches = createBatches(SET, 2, 5)
  const epoch = [0, 1, 2].flatMap((index) => [...batches(index).labels])
  assert.equal(new Set(epoch).size, 6)
  assert.deepEqual(createBatches(SET, 2, 5)(4), (batches(3), batches(4)))
  assert.notDeepEqual(
    epoch,
    [3, 4, 5].flatMap((index) => [...batches(index).labels]),
  )
  assert.throws(() => createBatches(SET, 8, 5), /7 training images are fewer than a batch of 8/)
})

test('images go to −1..1 and back to the same bytes', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  assert.deepEqual(toBytes(fromBytes(bytes)), bytes)
  assert.deepEqual([...fromBytes(Uint8Array.of(0, 255))], [-1, 1])
  assert.deepEqual([...toBytes(Float32Array.of(-3, 3))], [0, 255])
})

test('latents within a truncation, and the same ones by the same name', () => {
  const within = truncatedLatents(1000, 0.5, 'grid', 1)
  assert.ok(within.every((z) => Math.abs(z) <= 0.5))
  assert.ok(truncatedLatents(1000, 0, 'grid', 1).some((z) => Math.abs(z) > 2))
  assert.deepEqual(drawWishes(SET, 3, 4, 'a', 1), drawWishes(SET, 3, 4, 'a', 1))
  assert.notDeepEqual(drawWishes(SET, 3, 4, 'a', 1), drawWishes(SET, 3, 4, 'a', 2))
})

test('agreement counts the images whose own class is the likeliest, ties not', () => {
  assert.equal(agreementOf(Float32Array.of(0.9, 0.1, 0.2, 0.8, 0.5, 0.5), [0, 0, 1]), 1 / 3)
})

const point = (step: number, fid: number, discriminator = 1) => ({
  step,
  losses: { discriminator },
  measures: { fid },
})

test('a run ends where a loss is not finite', () => {
  assert.deepEqual(divergence('generator', NaN, 3), {
    outcome: 'diverged',
    reason: 'The generator loss was NaN at step 3.',
  })
})

test('a run has collapsed where two measurements in succession say so', () => {
  assert.equal(collapse([point(0, 80), point(10, 90), point(20, 60)], [0.1, 0.5, 0.5]), null)
  const worse = collapse([point(0, 80), point(10, 90), point(20, 95)], [0.1, 0.5, 0.5])
  assert.match(worse!.reason, /FID was 95.0 at step 20, above the untrained generator's 80.0/)
  const alike = collapse([point(0, 80), point(10, 50), point(20, 50)], [0.1, 0.01, 0.01])
  assert.match(alike!.reason, /all alike at step 20: 1.0 %/)
  assert.equal(collapse([point(0, 80), point(10, 50), point(20, 50)], [0.001, 0.001, 0.5]), null)
  const won = collapse([point(0, 80), point(10, 50, 0), point(20, 50, 0)], [0.1, 0.5, 0.5])
  assert.match(won!.reason, /loss stayed below 0.001 up to step 20/)
})
