import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { accelerating, type Acceleration } from '../../main/engine/jit/accelerate.ts'
import { inBfloat16 } from '../../main/engine/jit/bfloat16.ts'
import { DT, type Out } from '../../main/engine/jit/known.ts'
import { jit } from '../../main/engine/jit/jit.ts'
import { createProgram } from '../../main/engine/jit/program.ts'
import type { GraphOp } from '../../main/engine/jit/proto.ts'
import { markedForXla } from '../../main/engine/jit/xla.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { pays, readXla, type XlaRow } from '../../main/engine/xla.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'

const op = (name: string, kind: string, ...inputs: string[]): GraphOp => ({
  name,
  op: kind,
  inputs,
  attributes: { T: { type: DT.float } },
})
const typed = (...names: string[]): Map<string, Out> =>
  new Map(names.map((name) => [name, { shape: [2, 2], dtype: DT.float }]))

test('mixed precision casts the operands of products once each, and their results back', () => {
  const ops = [
    op('a', 'Placeholder'),
    op('b', 'Exp', 'a'),
    op('c', 'MatMul', 'a', 'b'),
    op('d', 'MatMul', 'c', 'a', '^b'),
  ]
  const text = inBfloat16(ops, typed('a', 'b', 'c', 'd')).map(
    ({ name, op, inputs }) => `${name} = ${op} ${inputs.join()}`,
  )
  assert.deepEqual(text, [
    'a = Placeholder ',
    'b = Exp a',
    'a/bfloat16 = Cast a',
    'b/bfloat16 = Cast b',
    'c/product = MatMul a/bfloat16,b/bfloat16',
    'c = Cast c/product',
    'c/bfloat16 = Cast c',
    'd/product = MatMul c/bfloat16,a/bfloat16,^b',
    'd = Cast d/product',
  ])
})

test('shapes among the operands of a product stay integers', () => {
  const ops = inBfloat16([op('x', 'Conv2DBackpropInput', 'sizes', 'filter', 'dy')], typed('x'))
  assert.deepEqual(ops.find(({ op }) => op === 'Conv2DBackpropInput')!.inputs, [
    'sizes',
    'filter/bfloat16',
    'dy/bfloat16',
  ])
})

test('XLA gets everything but what feeds the graph and the engine’s own kernels', () => {
  const ops = [
    op('a', 'Placeholder'),
    op('b', 'VarHandleOp'),
    op('c', 'NormForgeProgram', 'a'),
    op('d', 'Exp', 'c'),
  ]
  assert.deepEqual(
    markedForXla(ops)
      .filter(({ attributes }) => '_XlaCompile' in attributes)
      .map(({ name }) => name),
    ['d'],
  )
})

/** A convolution's gradients and its result, by a program that is accelerated in some way. */
const convolved = (acceleration: Acceleration): number[] => {
  const { tf } = loadRuntime()
  registerGradients()
  const [x, w] = [
    tf.randomNormal([2, 6, 6, 4], 0, 1, 'float32', 1),
    tf.randomNormal([3, 3, 4, 8], 0, 1, 'float32', 2),
  ]
  const specs = [x, w].map((tensor) => ({ shape: tensor.shape, dtype: 'float32' }) as const)
  const f = (a: Tensor, b: Tensor): Tensor =>
    tf
      .conv2d(a as Tensor4D, b as Tensor4D, 1, 'same')
      .sigmoid()
      .mean()
  const step = (a: Tensor, b: Tensor): Tensor[] => [f(a, b), ...tf.grads(f)([a, b])]
  const program = accelerating(acceleration, () =>
    createProgram([], { step: { step: step as (...inputs: Tensor[]) => Tensor[], inputs: specs } }),
  )
  const values = program.run('step', x, w).flatMap((tensor) => [...tensor.dataSync<'float32'>()])
  program.dispose()
  return values
}
const off = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b.map(Math.abs))

test('a program that XLA compiles gives the same', () => {
  assert.ok(off(convolved({ xla: true }), convolved({})) < 1e-5)
})

test('products in bfloat16 give nearly the same, to its eight bits', () => {
  const difference = off(convolved({ mixedPrecision: true }), convolved({}))
  assert.ok(difference > 1e-6 && difference < 2e-2, `off by ${difference}`)
})

test('what is recorded later, for other shapes too, is accelerated as when it was asked for', () => {
  const { tf } = loadRuntime()
  const products = (mixedPrecision: boolean): Float32Array[] => {
    const product = accelerating({ mixedPrecision }, () =>
      jit((a, b) => [tf.matMul(a as never, b as never)], { variables: [], eager: false }),
    )
    const values = [2, 3].map((rows) => {
      const drawn = tf.randomNormal([rows, rows], 0, 1, 'float32', 1)
      const [result] = product(drawn, drawn)
      const values = result!.dataSync<'float32'>().slice()
      tf.dispose([drawn, result!])
      return values
    })
    product.dispose()
    return values
  }
  const full = products(false)
  products(true).forEach((values, i) => {
    const difference = off([...values], [...full[i]!])
    assert.ok(difference > 1e-6 && difference < 2e-2, `off by ${difference}`)
  })
})

test('a network trains in mixed precision as in full, and its weights stay float32', () => {
  const { architectures, training, data } = PRESETS.demo.config
  const random = createRandom('mixed precision')
  const images = new Float32Array(training.batchSize * data.imageSize ** 2 * 3).map(() => random.normal())
  const labels = Int32Array.from({ length: training.batchSize }, (_, i) => i % 10)
  const [mixed, full] = [true, false].map((mixedPrecision) =>
    accelerating({ mixedPrecision }, () => {
      const trainer = createTrainer({
        architecture: architectures[0]!,
        graph: knownLayer('EvoNorm-B0').graph,
        training,
        imageSize: data.imageSize,
        classes: 10,
        seed: 1,
        evaluationBatch: 8,
      })
      const losses = Array.from({ length: 8 }, () => trainer.step(images, labels, 0.02))
      const coarse = trainer.weights()[0]!.every((value) => Math.abs(value) % 2 ** -8 === 0)
      trainer.dispose()
      return { losses, coarse }
    }),
  )
  assert.notDeepEqual(mixed!.losses, full!.losses)
  assert.ok(off(mixed!.losses, full!.losses) < 0.02, `${mixed!.losses}, not ${full!.losses}`)
  assert.ok(full!.losses.at(-1)! < 0.8 * full!.losses[0]!)
  assert.ok(!mixed!.coarse)
})

const row = (width: number, xlaMs: number): XlaRow => ({
  name: 'resnet',
  width,
  depth: 1,
  plain: { firstSeconds: 1, stepMs: 10 },
  xla: { firstSeconds: 21, stepMs: xlaMs },
})

test('XLA pays once its quicker steps have made up for compiling, by the network of the most similar size', () => {
  const rows = [row(0.25, 5), row(1, 12)]
  const at = (width: number, steps: number): boolean => pays(rows, { name: 'resnet', width, depth: 1 }, steps)
  assert.deepEqual(
    [at(0.25, 3999), at(0.25, 4001), at(0.3, 10_000), at(0.9, 10_000)],
    [false, true, true, false],
  )
  assert.equal(pays(rows, { name: 'mobilenetv2', width: 1, depth: 1 }, 1e6), false, 'nothing is known of it')
})

test('measurements of XLA that can’t be read count as none', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'xla.json')
  assert.deepEqual(readXla(file), [])
  writeFileSync(file, JSON.stringify([row(1, 5)]))
  assert.deepEqual(readXla(file), [row(1, 5)])
  for (const text of ['{', '{}', '[{"name":"resnet"}]']) {
    writeFileSync(file, text)
    assert.deepEqual(readXla(file), [])
  }
})
