import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jit } from '../../../main/engine/jit/jit.ts'
import { loadRuntime, type Tensor } from '../../../main/engine/runtime.ts'

const { tf } = loadRuntime()
const COUNT = 20000

/** What a step gives in each of two calls. */
const twice = (step: (x: Tensor) => Tensor[]): number[][][] => {
  const compiled = jit((x) => step(x!), { variables: [], eager: false })
  const results = [1, 2].map(() => {
    const x = tf.ones([COUNT])
    const tensors = compiled(x)
    const values = tensors.map((tensor) => [...tensor.dataSync()])
    tf.dispose([x, ...tensors])
    return values
  })
  compiled.dispose()
  return results
}
const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length
const deviation = (values: number[]): number => {
  const centre = mean(values)
  return Math.sqrt(mean(values.map((v) => (v - centre) ** 2)))
}
const near = (got: number, wanted: number, within: number): void =>
  assert.ok(Math.abs(got - wanted) < within, `${got}, not ${wanted}`)

test('random tensors are drawn anew at every call and for every use, as they are asked for', () => {
  const [[normal, uniform, truncated, other], again] = twice(() => [
    tf.randomNormal([COUNT], 2, 3),
    tf.randomUniform([COUNT], -1, 5),
    tf.truncatedNormal([COUNT], 1, 2),
    tf.randomNormal([COUNT], 2, 3),
  ]) as [number[][], number[][]] as [[number[], number[], number[], number[]], number[][]]
  for (const [values, i] of [
    [normal, 0],
    [uniform, 1],
    [truncated, 2],
  ] as const)
    assert.notDeepEqual(values, again[i])
  assert.notDeepEqual(normal, other)
  near(mean(normal), 2, 0.15)
  near(deviation(normal), 3, 0.15)
  near(mean(uniform), 2, 0.1)
  near(deviation(uniform), 6 / Math.sqrt(12), 0.1)
  assert.ok(Math.min(...uniform) >= -1 && Math.max(...uniform) < 5)
  near(mean(truncated), 1, 0.1)
  assert.ok(Math.min(...truncated) >= -3 && Math.max(...truncated) <= 5)
})

test('dropout drops others at every call, and its gradient is that of what it kept', () => {
  const [[y, dx], [later]] = twice((x) => {
    let y: Tensor | undefined
    const dx = tf.grad((at) => {
      y = tf.keep(tf.dropout(at, 0.25))
      return y.sum() as never
    })(x as never)
    return [y!, dx]
  }) as [[number[], number[]], [number[]]]
  assert.notDeepEqual(y, later)
  assert.deepEqual([...new Set(y.map((v) => v.toFixed(4)))].sort(), ['0.0000', '1.3333'])
  near(y.filter((v) => v === 0).length / COUNT, 0.25, 0.02)
  assert.deepEqual(dx, y)
})

test('what is drawn from a seed is the same at every call, and as eagerly', () => {
  const draw = (): Tensor[] => [
    tf.randomNormal([5], 0, 1, 'float32', 7),
    tf.randomUniform([5], 0, 1, 'float32', '7'),
  ]
  const [first, second] = twice(draw)
  assert.deepEqual(first, second)
  const eager = draw()
  assert.deepEqual(
    first,
    eager.map((tensor) => [...tensor.dataSync()]),
  )
  tf.dispose(eager)
})

test('chance in JavaScript is refused, with the line, and is as it was after the recording', () => {
  const before = [Math.random, tf.randomNormal]
  const refused = /draws numbers in JavaScript .*test\/engine\/jit\/chance\.test\.ts:\d+:\d+\)$/
  assert.throws(() => twice((x) => [x.mul(Math.random())]), { message: refused })
  assert.throws(() => twice(() => [tf.rand([2], () => Math.random())]), { message: refused })
  assert.deepEqual([Math.random, tf.randomNormal], before)
})
