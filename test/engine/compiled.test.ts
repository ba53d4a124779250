import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { createProgram } from '../../main/engine/jit/program.ts'
import { loadRuntime, type Tensor, type Variable } from '../../main/engine/runtime.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import type { ArchitectureName } from '../../shared/records.ts'
import { deviation } from '../reference/layers.ts'
import { drawnBatch, REFERENCE } from './drawn-weights.ts'

const { tf } = loadRuntime()
const near = (what: string, got: ArrayLike<number>, wanted: ArrayLike<number>, within: number): void => {
  const off = deviation(got, Array.from(wanted))
  assert.ok(off < within, `${what}: off by ${off.toExponential(1)}`)
}

const PAIRS: readonly (readonly [ArchitectureName, string])[] = [
  ['resnet', 'BN-ReLU'],
  ['mobilenetv2', 'EvoNorm-S0'],
  ['efficientnet', 'EvoNorm-B0'],
]
for (const [name, layer] of PAIRS)
  test(`two compiled training steps of ${name} with ${layer}, and its predictions, equal eager ones`, () => {
    const { images, labels } = drawnBatch(16, 4)
    const run = (eager: boolean) => {
      const trainer = createTrainer({
        architecture: { name, width: 0.125, depth: 0.1 },
        graph: knownLayer(layer).graph,
        training: { ...PRESETS.demo.config.training, batchSize: 4, labelSmoothing: 0.1 },
        imageSize: 16,
        evaluationBatch: 4,
        ...REFERENCE,
        eager,
      })
      const losses = [0.05, 0.1].map((rate) => trainer.step(images, labels, rate))
      const [logits, weights] = [trainer.predict(images), trainer.weights()]
      trainer.dispose()
      return { losses, logits, weights }
    }
    const [compiled, eager] = [run(false), run(true)]
    near('losses', compiled.losses, eager.losses, 1e-5)
    near('logits', compiled.logits, eager.logits, 1e-4)
    compiled.weights.forEach((values, i) => near(`tensor ${i}`, values, eager.weights[i]!, 1e-4))
  })

const variable = (values: number[]): Variable => {
  const initial = tf.tensor1d(values)
  const made = tf.variable(initial)
  initial.dispose()
  return made
}
const vector = (size: number) => ({ shape: [size], dtype: 'float32' }) as const
const numbers = (tensors: Tensor[]): number[][] =>
  tensors.map((tensor) => {
    const values = [...tensor.dataSync()]
    tensor.dispose()
    return values
  })

test('a program updates its variables at every call and gives several results', () => {
  const total = variable([1, 2])
  const program = createProgram([total], {
    add: {
      inputs: [vector(2)],
      step: (x) => {
        const before = total.mul(1)
        total.assign(total.add(x!) as Variable)
        return [before, total.sum()]
      },
    },
    read: { inputs: [], step: () => [total.mul(10)] },
  })
  const x = tf.tensor1d([10, 20])
  assert.deepEqual(numbers(program.run('add', x)), [[1, 2], [33]])
  assert.deepEqual(numbers(program.run('add', x)), [[11, 22], [63]])
  assert.deepEqual(numbers(program.run('read')), [[210, 420]])
  assert.deepEqual(numbers([program.read(total)]), [[21, 42]])
  // The variable outside keeps the value that the program started from.
  assert.deepEqual([...total.dataSync()], [1, 2])
  program.dispose()
  for (const tensor of [x, total]) tensor.dispose()
})

test('two programs over equal names do not share their variables', () => {
  const programs = [1, 2].map((value) => {
    const state = variable([value])
    const step = () => {
      state.assign(state.mul(2) as Variable)
      return [state.mul(1)]
    }
    return createProgram([state], { double: { inputs: [], step } })
  })
  for (const factor of [2, 4])
    programs.forEach((program, i) => assert.deepEqual(numbers(program.run('double')), [[(i + 1) * factor]]))
  for (const program of programs) program.dispose()
})

test('inputs of another type or rank are refused with both named', () => {
  const program = createProgram([], { double: { inputs: [vector(2)], step: (x) => [x!.mul(2)] } })
  const x = tf.tensor1d([1, 2, 3], 'int32')
  assert.throws(() => program.run('double', x), /double needs inputs float32\[2\]; got int32\[3\]/)
  const y = tf.tensor2d([[1, 2]])
  assert.throws(() => program.run('double', y), /double needs inputs float32\[2\]; got float32\[1,2\]/)
  tf.dispose([x, y])
  program.dispose()
})

const refused = (step: (x: Tensor) => Tensor, message: RegExp): void => {
  const build = () => createProgram([], { bad: { inputs: [vector(4)], step: (x) => [step(x!)] } })
  assert.throws(build, (error: Error) => {
    assert.match(error.message, message)
    // The line is the one of the step, in this file.
    const place = / \(test\/engine\/compiled\.test\.ts:(\d+):\d+\)$/.exec(error.message)
    assert.match(LINES[Number(place?.[1]) - 1] ?? '', /refused\(/, error.message)
    return true
  })
}
const LINES = fs.readFileSync(import.meta.filename, 'utf8').split('\n')

test('a step that reads values is refused, with the op that makes them', () => {
  refused((x) => x.mul(x.sum().dataSync()[0]!), /^jit: the step reads the values of what Sum gives \(/)
  refused((x) => x.mul(x.dataSync()[0]!), /^jit: the step reads the values of an input \(/)
})

test('a step that asks for values in any other way is refused alike', () => {
  const reads = /^jit: the step reads the values of what Sum gives \(/
  refused((x) => x.mul(x.sum().arraySync() as number), reads)
  refused((x) => (x.sum().print(), x), reads)
  refused((x) => (void x.sum().data(), x), reads)
  refused((x) => (void x.sum().array(), x), reads)
  refused((x) => (void x.sum().buffer(), x), reads)
})

test('a step that waits for values is refused, and leaves no promise behind that fails', async () => {
  const wait = (f: () => Promise<Tensor>) => f() as unknown as Tensor
  refused((x) => wait(async () => x.mul((await x.sum().data())[0]!)), /reads the values of what Sum gives/)
  const step = async () => []
  const build = () => createProgram([], { bad: { inputs: [], step: step as unknown as () => Tensor[] } })
  assert.throws(build, /^Error: jit: the step gives no list of tensors/)
  await new Promise((resolve) => setImmediate(resolve))
})

test('a step that uses a tensor from outside is refused, with the op that takes it', () => {
  const outside = tf.tensor1d([1, 2, 3, 4]).add(0)
  refused((x) => x.add(outside), /gives Add a tensor made outside/)
  refused((x) => x.mul(outside.dataSync()[0]!), /reads the values of a tensor made outside/)
  outside.dispose()
})

test('a tensor from outside that no op has used yet is refused as well, and stays whole', () => {
  const fresh = tf.tensor1d([1, 2, 3, 4])
  refused((x) => x.mul(fresh.dataSync()[0]!), /reads the values of a tensor made outside/)
  refused((x) => x.add(fresh), /gives Add a tensor made outside/)
  const doubled = fresh.mul(2)
  assert.deepEqual([...doubled.dataSync()], [2, 4, 6, 8])
  tf.dispose([fresh, doubled])
  const given = tf.tensor1d([1, 2])
  const build = () => createProgram([], { bad: { inputs: [], step: () => [given] } })
  assert.throws(build, /gives an output a tensor made outside/)
  given.dispose()
})

test('constants that a step makes itself are part of it', () => {
  const step = (x: Tensor) => {
    const own = tf.tensor1d([1, 2, 3, 4])
    return [x.mul(own).add(own.dataSync()[3]!)]
  }
  const program = createProgram([], { own: { inputs: [vector(4)], step } })
  const x = tf.tensor1d([1, 1, 1, 2])
  assert.deepEqual(numbers(program.run('own', x)), [[5, 6, 7, 12]])
  x.dispose()
  program.dispose()
})

test('0 and −0 are two constants', () => {
  const step = (x: Tensor) => [0, -0].map((zero) => x.div(tf.scalar(zero)))
  const program = createProgram([], { divide: { inputs: [vector(1)], step } })
  const x = tf.tensor1d([1])
  assert.deepEqual(numbers(program.run('divide', x)), [[Infinity], [-Infinity]])
  x.dispose()
  program.dispose()
})

test('an op without a graph form is refused by name, and recording leaves nothing behind', () => {
  refused((x) => tf.cumsum(x), /^jit: the step uses the op Cumsum, which has no shape function/)
  const sum = tf.tensor1d([1, 2]).add(1)
  assert.deepEqual([...sum.dataSync()], [2, 3])
})
