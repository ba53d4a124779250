import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomLayer } from '../../main/search/mutate.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { EVOLVED, graphOf } from './cases.ts'
import { layerPasses } from './passes.ts'

test('the passes of a layer that can be counted by hand are those', () => {
  // TensorFlow's fused batch norm and ReLU, each forward and backward; the kernel sums twice and writes twice.
  const { kernels, ops } = layerPasses(knownLayer('BN-ReLU').graph)
  assert.deepEqual({ kernels, ops }, { kernels: 4, ops: 4 })
  // tanh, and the product of its gradient, in any form.
  assert.deepEqual(layerPasses(parseFormula('tanh(x)', false)), { kernels: 2, ops: 2, tfjs: 4 })
})

test('two multiples of x, the larger of them: the maximum is taken of them, not made of their difference', () => {
  const { ops, tfjs } = layerPasses(parseFormula('max(x / rms_hw(v0), x)'))
  assert.deepEqual({ ops, tfjs }, { ops: 15, tfjs: 15 })
})

const check = (graph: Graph, name: string): void => {
  const { kernels, ops, tfjs } = layerPasses(graph)
  assert.ok(ops <= tfjs, `${name}: ${ops} passes by ops, ${tfjs} by tfjs's own gradient`)
  assert.ok(kernels <= tfjs, `${name}: ${kernels} passes by kernels, ${tfjs} by tfjs's own gradient`)
}

test('no known layer, and none of the bench’s, makes more passes than tfjs’s own gradient', () => {
  for (const { name, graph } of KNOWN) check(graph, name)
  for (const formula of EVOLVED) check(graphOf(formula), formula)
})

// By TensorFlow's ops it is no law: of these 200 and 1,800 more one, x·x·max(x, x·x) + (x + x), made 23 passes where tfjs made
// 22, as its backward computes x·x and two more again rather than keep them. By the kernels it made 2.
test('none of 200 random layers makes more passes than tfjs’s own gradient', () => {
  const random = createRandom('passes')
  for (let i = 0; i < 200; i++) {
    const graph = randomLayer(i % 2 === 0 ? 'B' : 'S', random)
    check(graph, JSON.stringify(graph.nodes))
  }
})
