import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { hasKernels } from '../../main/engine/kernels.ts'
import { compileLayer, type Piece } from '../../main/engine/lowering/compiled.ts'
import { runByKernel, suitsKernel } from '../../main/engine/lowering/kernel.ts'
import { runByOps } from '../../main/engine/lowering/ops.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { randomLayer } from '../../main/search/mutate.ts'
import type { Graph } from '../../shared/graph.ts'
import type { Shape } from '../../shared/interpret.ts'
import { KNOWN } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import type { Size } from '../../shared/symbolic/program.ts'
import { resultSizes } from '../../shared/symbolic/schedule.ts'
import { runProgram } from '../shared/run-program.ts'

/** Odd sizes, so that blocks have ends; more than one block a sample with 12 channels. */
const SHAPE: Shape = [3, 13, 11, 12]
const GROUPS = 4
const [N, H, W, C] = SHAPE
const LENGTH = N * H * W * C

before(() => {
  loadRuntime()
  registerGradients()
})

const random = createRandom('lowering')
const vector = (length: number, mean = 0): Float32Array =>
  Float32Array.from({ length }, () => mean + random.normal())

const TENSOR: Record<Size, number[]> = {
  scalar: [1, 1, 1, 1],
  c: [C],
  n: [N, 1, 1, 1],
  nc: [N, 1, 1, C],
  full: [...SHAPE],
}
const lengthOf = (size: Size): number => TENSOR[size].reduce((a, b) => a * b, 1)
/** Where an element of the full shape lies in a tensor of a size. */
const indexIn = (size: Size, i: number): number => {
  const [sample, channel] = [Math.floor(i / (H * W * C)), i % C]
  return { scalar: 0, c: channel, n: sample, nc: sample * C + channel, full: i }[size]
}
const spread = (values: Float32Array, size: Size): Float64Array =>
  Float64Array.from({ length: LENGTH }, (_, i) => values[indexIn(size, i)]!)
const gathered = (values: Float64Array, size: Size): Float32Array => {
  const result = new Float32Array(lengthOf(size))
  values.forEach((value, i) => (result[indexIn(size, i)] = value))
  return result
}

type Values = Map<number, Float32Array>
type Name = 'kernel' | 'ops'

/** The plain meaning of a piece, in float64. */
const meaning = (piece: Piece, given: Values): Map<number, Float64Array> => {
  const bound = new Map<number, Float64Array>()
  for (const input of piece.inputs) bound.set(input, spread(given.get(input)!, piece.sizes.get(input)!))
  runProgram(piece.instructions, piece.sizes, SHAPE, GROUPS, bound)
  return bound
}

/** Runs a piece by a lowering; gives the largest deviation of its outputs from their plain meaning. */
const deviationOf = (piece: Piece, lowering: Name, given: Values): number => {
  const { tf } = loadRuntime()
  const sizeOf = (tensor: number): Size => piece.sizes.get(tensor)!
  const wanted = meaning(piece, given)
  const tensors = piece.inputs.map((input) => tf.tensor(given.get(input)!, TENSOR[sizeOf(input)]))
  const results =
    lowering === 'kernel' ? runByKernel(piece, GROUPS, tensors) : runByOps(piece, SHAPE, GROUPS, tensors)
  const deviations = results.map((result: Tensor, i) => {
    const tensor = piece.outputs[i]!
    const values = gathered(wanted.get(tensor)!, sizeOf(tensor))
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
const check = (graph: Graph, lowering: Name, name: string): void => {
  const { training, backward, inference } = compileLayer(graph, 0.9)
  const given: Values = new Map()
  const give = (piece: Piece): void => {
    for (const input of piece.inputs) {
      const size = piece.sizes.get(input)!
      if (!given.has(input))
        given.set(input, vector(lengthOf(size), size === 'full' ? 0 : 1).map(positive(size)))
    }
  }
  const compare = (piece: Piece, what: string): void => {
    if (lowering === 'kernel' && !suitsKernel(piece)) return
    const off = deviationOf(piece, lowering, given)
    assert.ok(off < 5e-4, `${name}, ${what}: off by ${off}`)
  }
  give(training)
  compare(training, 'training')
  for (const [tensor, values] of meaning(training, given))
    if (!given.has(tensor)) given.set(tensor, gathered(values, training.sizes.get(tensor)!))
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
  test(`${lowering}: 60 random layers run as their programs say`, (t) => {
    const reason = skip()
    if (reason) return t.skip(reason)
    for (let i = 0; i < 60; i++) {
      const graph = randomLayer('B', random)
      check(graph, lowering, JSON.stringify(graph.nodes))
    }
  })
}

test('a plan’s text tells the sizes of its outputs', () => {
  assert.deepEqual(resultSizes('plan 1 2 full -1 c 0 3 full -1 c 1 nc 2 0 0 0'), ['full', 'c', 'nc'])
})
