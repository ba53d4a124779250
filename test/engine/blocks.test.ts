import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { convolution, createKit } from '../../main/engine/blocks.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { createParameters } from '../../main/engine/parameters.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { knownLayer } from '../../shared/known.ts'

const { tf } = loadRuntime()
registerGradients()

const assertClose = (got: Tensor, expected: Tensor): void => {
  assert.deepEqual(got.shape, expected.shape)
  const values = expected.dataSync()
  got
    .dataSync()
    .forEach((value, i) => assert.ok(Math.abs(value - values[i]!) < 1e-5, `${value}, ${values[i]}`))
}

// 6 is cut into equal parts by both strides, 8 by one of them, 7 by none.
for (const side of [6, 7, 8])
  for (const stride of [2, 3])
    test(`a 1×1 convolution of stride ${stride} on ${side}×${side} is TensorFlow's, and so are its gradients`, () => {
      const parameters = createParameters('blocks')
      const op = convolution(createKit(knownLayer('BN-ReLU').graph, 1, parameters), 1, 3, 5, stride)
      const filter = parameters.kernels[0] as unknown as Tensor4D
      const x = tf.randomNormal([2, side, side, 3], 0, 1, 'float32', 1) as Tensor4D
      const ours = (x: Tensor): Tensor => op(x, { training: true })
      const theirs = (x: Tensor): Tensor => tf.conv2d(x as Tensor4D, filter, stride, 'same')
      assertClose(ours(x), theirs(x))
      const gradients = (f: (x: Tensor) => Tensor): Tensor[] => {
        const { grads } = tf.variableGrads(() => f(x).square().sum(), parameters.kernels)
        return [tf.grad((x: Tensor) => f(x).square().sum())(x), grads[parameters.kernels[0]!.name]!]
      }
      const expected = gradients(theirs)
      gradients(ours).forEach((gradient, i) => assertClose(gradient, expected[i]!))
    })
