import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cropAndResize, gatherRows, padByEdge } from '../../main/engine/gradients/detection.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { stopGradient } from '../../main/engine/gradients/tape.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { drawn } from '../reference/networks.ts'

const { tf } = loadRuntime()
registerGradients()
const STEP = 1e-2

/** First and second order: f's gradient, and that of its gradient's squares, against central differences. */
const check = (what: string, shape: number[], f: (x: Tensor) => Tensor): void =>
  void test(`the gradient of ${what}, and the gradient of that, equal finite differences`, () => {
    const value = (x: Tensor) => f(x).square().sum()
    const slope = (x: Tensor) =>
      tf
        .grad(value as never)(x)
        .square()
        .sum()
    const size = shape.reduce((a, b) => a * b, 1)
    const x = tf.tensor(drawn(size, 1), shape)
    for (const g of [value, slope]) {
      const got = tf
        .grad(g as never)(x)
        .dataSync()
      const scale = Math.max(...got.map(Math.abs))
      for (let i = 0; i < size; i += Math.ceil(size / 12)) {
        const nudge = tf
          .oneHot(tf.tensor1d([i], 'int32'), size)
          .reshape(shape)
          .mul(STEP)
        const wanted = (g(x.add(nudge)).dataSync()[0]! - g(x.sub(nudge)).dataSync()[0]!) / (2 * STEP)
        assert.ok(Math.abs(got[i]! - wanted) < 5e-3 * scale, `${i}: ${got[i]}, needed ${wanted}`)
      }
    }
  })

const ints = (...values: number[]): Tensor => tf.tensor1d(values, 'int32')
const BOXES = tf.tensor2d([
  [0.1, 0.1, 0.6, 0.7],
  [-0.2, 0.3, 0.9, 1.1],
  [5, 5, 6, 6],
])
check('rows gathered, some of them twice', [5, 3], (x) => gatherRows(x, ints(0, 3, 0, 4)))
check('crops, some of them past the edge', [2, 6, 6, 2], (x) => cropAndResize(x, BOXES, ints(1, 0, 1), 4))
check('padding by the edge', [2, 3, 4, 2], padByEdge)

test('padding by the edge repeats the outermost pixels', () => {
  const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])
  assert.deepEqual([...padByEdge(x).dataSync()], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
})

test('what is made under stopGradient is constant to the gradient', () => {
  const f = (x: Tensor): Tensor =>
    stopGradient(() => tf.topk(x, 1).values)
      .mul(x)
      .sum()
  assert.deepEqual(
    [
      ...tf
        .grad(f as never)(tf.tensor1d([1, 3, 2]))
        .dataSync(),
    ],
    [3, 3, 3],
  )
})

test('a selection on the tape says what to do', () => {
  assert.throws(
    () => tf.grad(((x: Tensor) => tf.topk(x, 1).values.sum()) as never)(tf.tensor1d([1, 2])),
    /stopGradient/,
  )
})
