import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { downsample, upsample } from '../../main/engine/gradients/resample.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'

const { tf } = loadRuntime()
registerGradients()

test('up-sampling repeats each pixel, down-sampling averages four', () => {
  const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])
  assert.deepEqual([...upsample(x).dataSync()], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
  assert.deepEqual([...downsample(x).dataSync()], [2.5])
})

for (const [name, resample] of [
  ['up-sampling', upsample],
  ['down-sampling', downsample],
] as const)
  test(`the gradients of ${name}, first and second order, are those of finite differences`, () => {
    const x = tf.randomNormal([2, 4, 2, 3], 0, 1, 'float32', 1)
    const direction = tf.randomNormal([2, 4, 2, 3], 0, 1, 'float32', 2)
    // Quadratic in x, so that central differences of it are exact but for rounding.
    const f = (x: Tensor): Tensor => resample(x.square()).square().sum().div(2)
    const g = (x: Tensor): Tensor => tf.grad(f)(x).mul(direction).sum()
    const slope = (value: (x: Tensor) => Tensor): number => {
      const [h, at] = [1e-2, (step: number) => value(x.add(direction.mul(step))).dataSync()[0]!]
      return (at(h) - at(-h)) / (2 * h)
    }
    for (const value of [f, g]) {
      const got = tf.grad(value)(x).mul(direction).sum().dataSync()[0]!
      const wanted = slope(value)
      assert.ok(Math.abs(got - wanted) < 5e-3 * Math.abs(wanted), `${got}, not ${wanted}`)
    }
  })
