import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFormula } from '../../shared/formula.ts'
import { dependsOnX, interpret } from '../../shared/interpret.ts'
import { deviation, graphOf, LAYERS } from '../reference/layers.ts'

// The reference is rounded to 6 digits, so that 5e-6 is as close as equal values come.
const { shape, groups, v0, v1, gamma, beta } = LAYERS

for (const reference of LAYERS.cases)
  test(`${reference.name} on ${reference.input} equals PyTorch`, () => {
    const graph = graphOf(reference)
    assert.equal(graph.affine, reference.affine)
    const x = { shape, data: Float64Array.from(LAYERS[reference.input]) }
    const f = interpret(graph, x, v0, v1, groups)
    const y = graph.affine ? f.map((value, i) => gamma[i % shape[3]]! * value + beta[i % shape[3]]!) : f
    assert.ok(deviation(y, reference.y) < 6e-6, `off by ${deviation(y, reference.y)}`)
  })

test('a float32 input overflows where float32 does', () => {
  const run = (data: Float32Array | Float64Array) =>
    interpret(parseFormula('log(exp(x))'), { shape: [1, 1, 1, 1], data }, [0], [1], 1)[0]!
  assert.ok(Math.abs(run(Float64Array.of(100)) - 100) < 1e-6)
  assert.equal(run(Float32Array.of(100)), Infinity)
})

test('dependence on x follows the edges', () => {
  assert.deepEqual(dependsOnX(parseFormula('v0 + v1')).slice(4), [false])
  assert.deepEqual(dependsOnX(parseFormula('sigmoid(v0) * mean_hw(x)')).slice(4), [false, true, true])
})
