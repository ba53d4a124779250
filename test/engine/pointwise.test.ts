import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { jit } from '../../main/engine/jit/jit.ts'
import { Recorder, type Step } from '../../main/engine/jit/recorder.ts'
import { attribute, loadRuntime, runOp, type OpAttribute, type Tensor } from '../../main/engine/runtime.ts'
import { drawn } from '../reference/networks.ts'

const { tf, backend, binding } = loadRuntime()
registerGradients()

/** As pointwise.py beside the file describes them. */
type Case = {
  x: [number, number, number, number]
  to: number
  strides: [number, number]
  y: number
  first: [number, number]
  second: [number, number]
}
const CASES = JSON.parse(
  readFileSync(new URL('../reference/pointwise.json', import.meta.url), 'utf8'),
) as readonly Case[]

const inputsOf = ({ x, to }: Case, number: number): [Tensor4D, Tensor4D] => {
  const filter: [number, number, number, number] = [1, 1, x[3], to]
  const draw = (shape: number[], seed: number): Tensor =>
    tf.tensor(
      drawn(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
      shape,
    )
  return [draw(x, 2 * number) as Tensor4D, draw(filter, 2 * number + 1) as Tensor4D]
}

/** y, both gradients of Σy², and both of the squared filter gradient's sum. SAME and VALID are one for 1×1 filters. */
const stepOf =
  ({ strides }: Case, pad: 'same' | 'valid'): Step =>
  (x, filter) => {
    const forward = (x: Tensor, filter: Tensor): Tensor =>
      tf.conv2d(x as Tensor4D, filter as Tensor4D, strides, pad)
    const first = tf.grads((x: Tensor, filter: Tensor) => forward(x, filter).square().sum())
    const second = tf.grads((x: Tensor, filter: Tensor) => first([x, filter])[1]!.square().sum())
    return [forward(x!, filter!), ...first([x!, filter!]), ...second([x!, filter!])]
  }

const close = (results: Tensor[], { y, first, second }: Case): void => {
  const expected = [y, ...first, ...second]
  for (const [i, result] of results.entries()) {
    const got = result
      .flatten()
      .dot(tf.tensor1d(drawn(result.size, 5000)))
      .dataSync()[0]!
    const tolerance = 1e-5 * Math.max(1, result.abs().sum().dataSync()[0]!)
    assert.ok(Math.abs(got - expected[i]!) < tolerance, `result ${i}: ${got}, expected ${expected[i]}`)
  }
}

for (const [number, given] of CASES.entries()) {
  const { x, to, strides } = given
  test(`a 1×1 convolution of strides ${strides} on [${x}] → ${to} channels is PyTorch's, eager and recorded, to second order`, () => {
    const inputs = inputsOf(given, number)
    close(stepOf(given, 'same')(...inputs), given)
    const recorded = jit(stepOf(given, 'valid'), { variables: [] })
    close(recorded(...inputs), given)
    recorded.dispose()
  })
}

/** Names of the convolutions with a stride that TensorFlow gets to see. */
const stridedIn = (ops: readonly { name: string; strides: unknown }[]): string[] =>
  ops.filter(({ strides }) => (strides as number[] | undefined)?.some((s) => s > 1)).map(({ name }) => name)

test('no strided 1×1 convolution reaches TensorFlow, whoever asks for it; others do', (t) => {
  const [given] = CASES as [Case]
  const seen: { name: string; strides: unknown }[] = []
  const listen = (name: string, attributes: readonly OpAttribute[]): void => {
    seen.push({ name, strides: attributes.find((attribute) => attribute.name === 'strides')?.value })
  }
  const { executeOp } = binding
  t.mock.method(backend.binding, 'executeOp', (...args: Parameters<typeof executeOp>) => {
    listen(args[0], args[1])
    return executeOp(...args)
  })
  const [x, filter] = inputsOf(given, 0)
  const y = stepOf(given, 'same')(x, filter)[0]!
  const attributes = [
    attribute.float32(),
    attribute.int('strides', [1, 2, 2, 1]),
    attribute.string('padding', 'SAME'),
  ]
  const sizes = (shape: readonly number[]): Tensor => tf.tensor1d([...shape], 'int32')
  const [filterSizes, inputSizes] = [sizes(filter.shape), sizes(x.shape)]
  const held = tf.memory().numTensors
  runOp('Conv2DBackpropFilter', attributes, [x, filterSizes, y])
  runOp('Conv2DBackpropInput', attributes, [inputSizes, filter, y])
  assert.equal(tf.memory().numTensors, held + 2)
  tf.fused.conv2d({ x, filter, strides: 2, pad: 'same', activation: 'relu' })
  tf.conv2dTranspose(y as Tensor4D, filter, x.shape, 2, 'same')
  tf.conv1d(
    tf.tensor3d(new Float32Array(24), [1, 8, 3]),
    tf.tensor3d(new Float32Array(6), [1, 3, 2]),
    2,
    'same',
  )
  assert.ok(seen.length > 20)
  assert.deepEqual(stridedIn(seen), [])
  tf.conv2d(x, tf.zeros([3, 3, 3, 5]), 2, 'same')
  assert.deepEqual(stridedIn(seen), ['Conv2D'])

  const recorder = new Recorder([], 'pointwise')
  recorder.record(stepOf(given, 'same'), [
    { shape: x.shape, dtype: 'float32' },
    { shape: filter.shape, dtype: 'float32' },
  ])
  const ops = recorder.ops.map(({ op, attributes }) => {
    const strides = attributes.strides
    return { name: op, strides: strides && 'op' in strides ? strides.op.value : undefined }
  })
  assert.ok(ops.some(({ name }) => name === 'Conv2DBackpropFilter'))
  assert.deepEqual(stridedIn(ops), [])
})

test('explicit padding around a strided 1×1 filter is refused where TensorFlow would take the unsafe way', () => {
  const [x, filter] = inputsOf(CASES[0]!, 0)
  const attributes = [
    attribute.float32(),
    attribute.int('strides', [1, 2, 2, 1]),
    attribute.string('padding', 'EXPLICIT'),
    attribute.int('explicit_paddings', [0, 0, 1, 1, 1, 1, 0, 0]),
  ]
  const y = tf.zeros([2, 4, 4, 5])
  assert.throws(
    () => runOp('Conv2DBackpropFilter', attributes, [x, tf.tensor1d(filter.shape, 'int32'), y]),
    /engine: Conv2DBackpropFilter of a strided 1×1 filter needs padding SAME or VALID, got EXPLICIT/,
  )
})
