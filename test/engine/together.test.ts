import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { createProgram } from '../../main/engine/jit/program.ts'
import { applyMomentumTogether } from '../../main/engine/optimizer.ts'
import { loadRuntime, type Tensor, type Variable } from '../../main/engine/runtime.ts'

/** Three steps of SGD on |w·x + b − 1|² with decay, and a counter, as a program compiled or not. */
const trained = (eager: boolean): number[][] => {
  const { tf } = loadRuntime()
  registerGradients()
  const made = [tf.tensor2d([[0.5, -1]]), tf.tensor4d([1, 2], [1, 1, 1, 2]), tf.tensor1d([0.1, 0.2])]
  const variables: Variable[] = made.map((tensor) => tf.variable(tensor))
  const velocities: Variable[] = made.map((tensor) => tf.variable(tf.zeros(tensor.shape)))
  const counters: Variable[] = [tf.variable(tf.tensor1d([0, 0])), tf.variable(tf.tensor1d([5]))]
  const program = createProgram(
    [variables, velocities, counters],
    {
      step: {
        inputs: [{ shape: [2], dtype: 'float32' }],
        step: (x) => {
          const [a, b, c] = variables as [Variable, Variable, Variable]
          const loss = (): Tensor =>
            a
              .reshape([2])
              .mul(b.reshape([2]))
              .mul(x!)
              .add(c)
              .sub(1)
              .square()
              .sum()
          const { value, grads } = tf.variableGrads(loss as never, variables)
          const gradients = variables.map(({ name }) => grads[name]!)
          applyMomentumTogether(variables, velocities, gradients, tf.scalar(0.05), {
            momentum: 0.9,
            decay: 0.01,
          })
          // Only one of the two that are kept together changes.
          counters[0]!.assign(counters[0]!.add(x!) as Variable)
          return [value]
        },
      },
    },
    { eager },
  )
  const losses = [1, 2, 3].map(
    (scale) => program.run('step', tf.tensor1d([scale, -scale]))[0]!.dataSync()[0]!,
  )
  const values = [...variables, ...velocities, ...counters].map((v) => [...program.read(v).dataSync()])
  program.dispose()
  return [losses, ...values]
}

test('variables kept together train as each alone does, eagerly', () => {
  const [compiled, eager] = [trained(false), trained(true)]
  compiled.forEach((values, i) =>
    values.forEach((value, j) =>
      assert.ok(Math.abs(value - eager[i]![j]!) < 1e-5, `${i}: ${values}, not ${eager[i]}`),
    ),
  )
  assert.deepEqual(compiled.at(-2), [6, -6])
  assert.deepEqual(compiled.at(-1), [5])
})

test('an update of variables that are kept otherwise is refused by name', () => {
  const { tf } = loadRuntime()
  const pair = [tf.variable(tf.tensor1d([1])), tf.variable(tf.tensor1d([2]))]
  const speeds = pair.map(() => tf.variable(tf.tensor1d([0])))
  const build = () =>
    createProgram([...pair, ...speeds], {
      step: {
        inputs: [],
        step: () => {
          applyMomentumTogether(pair, speeds, pair, tf.scalar(1), { momentum: 0, decay: 0 })
          return [tf.scalar(0)]
        },
      },
    })
  assert.throws(build, /ResourceApplyMomentum updates .*not declared to the program in that way/)
})
