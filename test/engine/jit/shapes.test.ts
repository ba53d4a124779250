import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { jit } from '../../../main/engine/jit/jit.ts'
import { createProgram, OTHER_SHAPES } from '../../../main/engine/jit/program.ts'
import { createSgd } from '../../../main/engine/sgd.ts'
import { loadRuntime, type Tensor, type Variable } from '../../../main/engine/runtime.ts'
import { deviation } from '../../reference/layers.ts'

const { tf, binding } = loadRuntime()

/** Sessions of TensorFlow that are open. */
let open = 0
const { loadSavedModel, deleteSavedModel } = binding
Object.assign(binding, {
  loadSavedModel: (folder: string, tags: string) => {
    open++
    return loadSavedModel(folder, tags)
  },
  deleteSavedModel: (id: number) => {
    open--
    deleteSavedModel(id)
  },
})
/** A folder for temporary files of this process alone. */
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-test-'))
process.env.TMPDIR = temporary
after(() => fs.rmSync(temporary, { recursive: true }))
const leftFolders = (): string[] => fs.readdirSync(temporary)

const variable = (values: number[]): Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)))
const batch = (rows: number): Tensor =>
  tf.tensor2d(
    Array.from({ length: rows * 3 }, (_, i) => Math.sin(i + rows)),
    [rows, 3],
  )
const numbers = (tensors: Tensor[]): number[][] =>
  tensors.map((tensor) => {
    const values = [...tensor.dataSync()]
    tensor.dispose()
    return values
  })

/** A linear model trained by SGD on batches of the sizes given, and judged on one row after each. */
const train = (sizes: readonly number[], eager: boolean): number[][] => {
  const weights = [variable([0.1, 0.2, 0.3]), variable([0.4, 0.5, 0.6])]
  const steps = variable([0])
  const sgd = createSgd({ trainable: weights, kernels: weights }, { momentum: 0.9, weightDecay: 0.01 })
  const apply = (x: Tensor): Tensor => tf.tanh(x.mul(weights[0]!)).mul(weights[1]!).sum(1)
  const program = createProgram(
    [...sgd.variables, steps],
    {
      train: {
        inputs: [
          { shape: [sizes[0]!, 3], dtype: 'float32' },
          { shape: [], dtype: 'float32' },
        ],
        step: (x, rate) => {
          const { value, grads } = tf.variableGrads(() => apply(x!).sub(1).square().mean() as never, weights)
          sgd.apply(grads, rate!)
          steps.assign(steps.add(1) as Variable)
          return [value]
        },
      },
      judge: { inputs: [{ shape: [2, 3], dtype: 'float32' }], step: (x) => [apply(x!)] },
    },
    { eager },
  )
  const results = sizes.flatMap((size) =>
    tf.tidy(() =>
      numbers([...program.run('train', batch(size), tf.scalar(0.1)), ...program.run('judge', batch(1))]),
    ),
  )
  const kept = [...numbers(program.readAll()), ...numbers([program.read(weights[1]!)])]
  program.dispose()
  sgd.dispose()
  tf.dispose([...weights, steps])
  return [...results, ...kept]
}

test('batches of other sizes are trained on as eagerly: the variables go on from one recording to the next', () => {
  const sizes = [4, 4, 2, 4, 1, 2, 3, 5, 6, 4, 1]
  const [compiled, eager] = [train(sizes, false), train(sizes, true)]
  assert.equal(compiled.length, eager.length)
  compiled.forEach((values, i) => assert.ok(deviation(values, eager[i]!) < 1e-5, `result ${i}: ${values}`))
})

test('a recording is made once for its shapes, those used longest ago go, and all go with the program', () => {
  const [before, folders, tensors] = [open, leftFolders(), tf.memory().numTensors]
  const total = variable([0])
  const step = (x: Tensor): Tensor[] => {
    total.assign(total.add(x.sum()) as Variable)
    return [total.mul(1)]
  }
  let recorded = 0
  const counted = jit((x) => (recorded++, step(x!)), { variables: [total] })
  const add = (rows: number): number => tf.tidy(() => counted(batch(rows).onesLike())[0]!.dataSync()[0]! / 3)
  const sizes = [1, 2, 3, 4, 5, 2, 3, 4, 5]
  const sums = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b))
  assert.deepEqual(sizes.map(add), sums)
  assert.equal(recorded, 5)
  assert.equal(open - before, 1 + OTHER_SHAPES)
  // 6 takes the place of 2, which was used longest ago; 3 is still there, 2 is recorded anew.
  const last = sums.at(-1)!
  assert.deepEqual([6, 3, 2].map(add), [last + 6, last + 9, last + 11])
  assert.equal(recorded, 7)
  assert.equal(open - before, 1 + OTHER_SHAPES)
  counted.dispose()
  total.dispose()
  assert.equal(open, before)
  assert.deepEqual(leftFolders(), folders)
  assert.equal(tf.memory().numTensors, tensors)
})

test('the newest values outlive the recording that wrote them', () => {
  const state = variable([1])
  const double = jit(
    (x) => {
      state.assign(state.mul(2).add(x!.sum().mul(0)) as Variable)
      return [x!.mul(1)]
    },
    { variables: [state] },
  )
  assert.deepEqual(numbers([double.read(state)]), [[1]])
  const times = OTHER_SHAPES + 3
  for (let rows = 1; rows <= times; rows++) tf.tidy(() => void double(batch(rows)))
  assert.deepEqual(numbers([double.read(state)]), [[2 ** times]])
  // That the variable outside starts a recording anew changes nothing.
  assert.deepEqual([...state.dataSync()], [1])
  double.dispose()
  state.dispose()
})

test('programs that come and go leave no tensor, no session and no file', () => {
  const come = (i: number): void => {
    const weights = [variable([1, 2, 3]), variable([i, i, i])]
    const program = createProgram([weights], {
      train: {
        inputs: [{ shape: [2, 3], dtype: 'float32' }],
        step: (x) => {
          const { value, grads } = tf.variableGrads(
            () => x!.mul(weights[0]!).add(weights[1]!).square().mean() as never,
            weights,
          )
          for (const w of weights) w.assign(w.sub(grads[w.name]!.mul(0.1)) as Variable)
          return [value]
        },
      },
    })
    for (const rows of [2, 1]) tf.tidy(() => void program.run('train', batch(rows)))
    tf.dispose([...program.readAll(), ...weights])
    program.dispose()
  }
  const fails = (): void => {
    const outside = batch(1).add(1)
    const step = (x: Tensor): Tensor[] => [x.add(outside)]
    assert.throws(() =>
      createProgram([], { f: { inputs: [{ shape: [1, 3], dtype: 'float32' }], step: (x) => step(x!) } }),
    )
    outside.dispose()
  }
  come(0)
  const seen = () => {
    const { numTensors, numDataBuffers } = tf.memory()
    return { numTensors, numDataBuffers, sessions: open, folders: leftFolders() }
  }
  const before = seen()
  for (let i = 0; i < 50; i++) {
    come(i)
    tf.tidy(fails)
  }
  assert.deepEqual(seen(), before)
})
