import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { hasKernels } from '../../main/engine/kernels.ts'
import { createConditionalLayer, createLayer, type Lowering } from '../../main/engine/layer.ts'
import { createParameters } from '../../main/engine/parameters.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { deviation } from '../reference/layers.ts'

const { tf } = loadRuntime()
registerGradients()

const [BATCH, SIDE, CHANNELS, GROUPS] = [3, 4, 8, 2]
const drawn = (name: string, shape: number[], mean = 0): Tensor => {
  const random = createRandom('conditional', name)
  const size = shape.reduce((a, b) => a * b, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, () => mean + random.normal()),
    shape,
  )
}
const x = drawn('x', [BATCH, SIDE, SIDE, CHANNELS])
const dy = drawn('dy', [BATCH, SIDE, SIDE, CHANNELS])
const gamma = drawn('gamma', [BATCH, 1, 1, CHANNELS], 1)
const beta = drawn('beta', [BATCH, 1, 1, CHANNELS])
const values = (tensor: Tensor): Float32Array => tensor.dataSync<'float32'>()

/** The output and the gradients with respect to x, γ and β. */
const run = (graph: Graph, lowering: Lowering): Float32Array[] => {
  const layer = createConditionalLayer(graph, CHANNELS, GROUPS, createParameters('conditional'), lowering)
  const value = (x: Tensor, gamma: Tensor, beta: Tensor) => layer(x, { gamma, beta }, { training: true })
  const gradients = tf.grads((...given) =>
    value(...(given as [Tensor, Tensor, Tensor]))
      .mul(dy)
      .sum(),
  )
  return [value(x, gamma, beta), ...gradients([x, gamma, beta])].map(values)
}

const LAYERS: readonly (readonly [name: string, graph: Graph])[] = [
  ...['BN-ReLU', 'GN-ReLU', 'BN-Swish', 'EvoNorm-B0', 'EvoNorm-S0'].map(
    (name) => [name, knownLayer(name).graph] as const,
  ),
  ['a layer without any affine', parseFormula('x / rms_hw(x)', false)],
]
for (const [name, graph] of LAYERS)
  test(`${name} with an affine of each sample: kernels and ops equal plain tape`, () => {
    const wanted = run(graph, 'tape')
    for (const lowering of hasKernels() ? (['kernels', 'ops'] as const) : (['ops'] as const))
      run(graph, lowering).forEach((got, i) => {
        const off = deviation(got, Array.from(wanted[i]!))
        assert.ok(off < 2e-5, `${lowering}, ${['y', 'dx', 'dγ', 'dβ'][i]}: off by ${off}`)
      })
  })

for (const name of ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'])
  test(`${name} with γ = 1 and β = 0 everywhere is the layer as it starts, at inference too`, () => {
    const given = { gamma: tf.ones([BATCH, 1, 1, CHANNELS]), beta: tf.zeros([BATCH, 1, 1, CHANNELS]) }
    const { graph } = knownLayer(name)
    const plain = createLayer(graph, CHANNELS, GROUPS, createParameters('plain'))
    const conditional = createConditionalLayer(graph, CHANNELS, GROUPS, createParameters('plain'))
    for (const training of [true, false]) {
      const [got, wanted] = [conditional(x, given, { training }), plain(x, { training })].map(values)
      assert.ok(deviation(got!, Array.from(wanted!)) < 1e-5)
    }
  })

test("BN-ReLU's affine stands between norm and activation, EvoNorm's closes it", () => {
  const parameters = createParameters('vectors')
  const relu = createConditionalLayer(knownLayer('BN-ReLU').graph, CHANNELS, GROUPS, parameters)
  const far = { gamma: tf.ones([BATCH, 1, 1, CHANNELS]), beta: tf.fill([BATCH, 1, 1, CHANNELS], -100) }
  assert.ok(values(relu(x, far, { training: true })).every((value) => value === 0))
  assert.equal(parameters.trainable.length, 0, 'BN-ReLU keeps no vectors of its own')
  const evonorm = createConditionalLayer(knownLayer('EvoNorm-S0').graph, CHANNELS, GROUPS, parameters)
  assert.ok(values(evonorm(x, far, { training: true })).every((value) => value < -50))
  assert.equal(parameters.trainable.length, 1, 'EvoNorm-S0 keeps v1')
})
