import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { hasKernels } from '../../main/engine/kernels.ts'
import { compileLayer, type Piece } from '../../main/engine/lowering/compiled.ts'
import { runByKernel, suitsKernel } from '../../main/engine/lowering/kernel.ts'
import { runByOps } from '../../main/engine/lowering/ops.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { randomLayer } from '../../main/search/mutate.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { SCALAR, type Shape } from '../../shared/interpret.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import type { UnaryOp } from '../../shared/ops.ts'
import { createRandom } from '../../shared/random.ts'
import type { Size } from '../../shared/symbolic/program.ts'
import { resultSizes } from '../../shared/symbolic/plan.ts'
import { schedule } from '../../shared/symbolic/schedule.ts'
import { runProgram } from '../shared/run-program.ts'

/** Odd sizes, so that blocks have ends; more than one block a sample with 12 channels. */
const ODD: Shape = [3, 13, 11, 12]
/** Running sums that fill registers with and without a rest, rows of a block and more. */
const WIDE: readonly Shape[] = [
  [2, 9, 7, 16],
  [2, 5, 3, 72],
  [2, 3, 1, 132],
  [2, 3, 2, 516],
]
const GROUPS = 4

before(() => {
  loadRuntime()
  registerGradients()
})

const random = createRandom('lowering')
const vector = (length: number, mean = 0): Float32Array =>
  Float32Array.from({ length }, () => mean + random.normal())

const shapeOf = ([n, h, w, c]: Shape, size: Size): number[] =>
  ({ scalar: [1, 1, 1, 1], c: [c], n: [n, 1, 1, 1], nc: [n, 1, 1, c], full: [n, h, w, c] })[size]
const lengthOf = (shape: Shape, size: Size): number => shapeOf(shape, size).reduce((a, b) => a * b, 1)
/** Where an element of the full shape lies in a tensor of a size. */
const indexIn = ([, h, w, c]: Shape, size: Size, i: number): number => {
  const [sample, channel] = [Math.floor(i / (h * w * c)), i % c]
  return { scalar: 0, c: channel, n: sample, nc: sample * c + channel, full: i }[size]
}
const spread = (values: Float32Array, shape: Shape, size: Size): Float64Array =>
  Float64Array.from({ length: lengthOf(shape, 'full') }, (_, i) => values[indexIn(shape, size, i)]!)
const gathered = (values: Float64Array, shape: Shape, size: Size): Float32Array => {
  const result = new Float32Array(lengthOf(shape, size))
  values.forEach((value, i) => (result[indexIn(shape, size, i)] = value))
  return result
}

type Values = Map<number, Float32Array>
type Name = 'kernel' | 'ops'

/** The plain meaning of a piece, in float64. */
const meaning = (piece: Piece, shape: Shape, given: Values): Map<number, Float64Array> => {
  const bound = new Map<number, Float64Array>()
  for (const input of piece.inputs)
    bound.set(input, spread(given.get(input)!, shape, piece.sizes.get(input)!))
  runProgram(piece.instructions, piece.sizes, shape, GROUPS, bound)
  return bound
}

/** Runs a piece by a lowering; gives the largest deviation of its outputs from their plain meaning. */
const deviationOf = (piece: Piece, shape: Shape, lowering: Name, given: Values): number => {
  const { tf } = loadRuntime()
  const sizeOf = (tensor: number): Size => piece.sizes.get(tensor)!
  const wanted = meaning(piece, shape, given)
  const tensors = piece.inputs.map((input) => tf.tensor(given.get(input)!, shapeOf(shape, sizeOf(input))))
  const results =
    lowering === 'kernel' ? runByKernel(piece, GROUPS, tensors) : runByOps(piece, shape, GROUPS, tensors)
  const deviations = results.map((result: Tensor, i) => {
    const tensor = piece.outputs[i]!
    const values = gathered(wanted.get(tensor)!, shape, sizeOf(tensor))
    const got = result.dataSync()
    assert.equal(got.length, values.length)
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    // What overflows in float32 is not compared.
    if (!(largest < 1e12)) return 0
    const scale = largest / 10 + 0.1
    return values.reduce(
      (most, value, j) => Math.max(most, Math.abs(got[j]! - value) / (Math.abs(value) + scale)),
      0,
    )
  })
  tf.dispose([...tensors, ...results])
  return Math.max(...deviations)
}

/** Checks the three pieces of a layer, on random values; what the forward saves is taken from its plain meaning. */
const check = (graph: Graph, lowering: Name, name: string, shape = ODD): void => {
  const { training, backward, inference } = compileLayer(graph, 0.9)
  const given: Values = new Map()
  const give = (piece: Piece): void => {
    for (const input of piece.inputs) {
      const size = piece.sizes.get(input)!
      if (!given.has(input))
        given.set(input, vector(lengthOf(shape, size), size === 'full' ? 0 : 1).map(positive(size)))
    }
  }
  const compare = (piece: Piece, what: string): void => {
    if (lowering === 'kernel' && !suitsKernel(piece)) return
    const off = deviationOf(piece, shape, lowering, given)
    assert.ok(off < 5e-4, `${name}, ${what}: off by ${off}`)
  }
  give(training)
  compare(training, 'training')
  for (const [tensor, values] of meaning(training, shape, given))
    if (!given.has(tensor)) given.set(tensor, gathered(values, shape, training.sizes.get(tensor)!))
  give(backward)
  compare(backward, 'backward')
  given.clear()
  give(inference)
  compare(inference, 'inference')
}
/** Second moments among the small inputs are positive. */
const positive =
  (size: Size) =>
  (value: number): number =>
    size === 'full' ? value : Math.abs(value) + 0.1

for (const lowering of ['kernel', 'ops'] as const) {
  const skip = (): string | false =>
    lowering === 'kernel' && !hasKernels() ? 'the engine’s own kernels are not there' : false
  test(`${lowering}: the known layers run as their programs say`, (t) => {
    const reason = skip()
    if (reason) return t.skip(reason)
    for (const { name, graph } of KNOWN) check(graph, lowering, name)
  })
  test(`${lowering}: so do they on more channels`, (t) => {
    const reason = skip()
    if (reason) return t.skip(reason)
    for (const shape of WIDE)
      for (const { name, graph } of KNOWN) check(graph, lowering, `${name} on ${shape}`, shape)
  })
  test(`${lowering}: 60 random layers run as their programs say`, (t) => {
    const reason = skip()
    if (reason) return t.skip(reason)
    for (let i = 0; i < 60; i++) {
      const graph = randomLayer('B', random)
      check(graph, lowering, JSON.stringify(graph.nodes))
    }
  })
}

test('what a slow op gives is kept for a sample’s later steps, not computed again', () => {
  const { backward } = compileLayer(knownLayer('EvoNorm-S0').graph, 0.9)
  const plan = schedule(backward.instructions, backward.sizes, backward.inputs, backward.outputs)
  const [{ kept, steps }] = plan.phases as [(typeof plan.phases)[number]]
  assert.equal(steps.length, 2)
  const sigmoids = steps.map(({ full }) => full.filter(({ op }) => op === 'sigmoid').length)
  assert.deepEqual({ kept, sigmoids }, { kept: 1, sigmoids: [1, 0] })
})

test('a plan’s text tells the sizes of its outputs', () => {
  assert.deepEqual(resultSizes('plan 2 2 full -1 c 0 3 full -1 c 1 nc 2 0 0 0'), ['full', 'c', 'nc'])
})

/** Where the results are normal floats: smaller ones may be 0. */
const RANGES: Readonly<Record<string, number>> = {
  exp: 86.9,
  sigmoid: 86.9,
  tanh: 1e6,
  log: 1e30,
  sqrt: 1e30,
}

test('the kernel’s functions are right within a few units in the last place, and past their range', (t) => {
  if (!hasKernels()) return t.skip('the engine’s own kernels are not there')
  const { tf } = loadRuntime()
  const run = (name: string, values: readonly number[]): Float32Array =>
    tf.tidy(() => {
      const x = tf.tensor(Float32Array.from(values), [1, 1, values.length, 1])
      const graph = parseFormula(`${name}(x)`, false)
      return runByKernel(compileLayer(graph, 0.9).inference, 1, [x])[0]!.dataSync<'float32'>()
    })
  for (const [name, range] of Object.entries(RANGES)) {
    const wide = Array.from({ length: 4000 }, (_, i) =>
      Math.fround(range * 1.01 ** -(i >> 1) * (i % 2 ? -1 : 1)),
    )
    const got = run(name, wide)
    wide.forEach((x, i) => {
      const exact = SCALAR[name as UnaryOp](x, 0)
      const off = Math.abs(got[i]! - exact) / Math.abs(exact)
      assert.ok(off < 4e-7, `${name}(${x}): got ${got[i]}, needed ${exact}`)
    })
    assert.ok(run(name, [Number.NaN]).every(Number.isNaN), `${name}(NaN)`)
  }
  assert.deepEqual([...run('exp', [0, 89, Infinity, -88, -Infinity])], [1, Infinity, Infinity, 0, 0])
  assert.deepEqual([...run('sigmoid', [0, 1000, Infinity, -1000, -Infinity])], [0.5, 1, 1, 0, 0])
  assert.deepEqual([...run('tanh', [0, 1000, Infinity, -1000, -Infinity])], [0, 1, 1, -1, -1])
})
