import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, GraphNode } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { parseGraph, requireSearchable, ruleBroken } from '../../shared/rules.ts'

const graph = (...nodes: GraphNode[]): Graph => ({ version: 1, nodes, affine: true })

test('a legal graph breaks no rule', () => {
  assert.equal(ruleBroken(graph({ op: 'max', inputs: [0, 1] }, { op: 'mul', inputs: [4, 4] })), null)
})

test('an empty graph, a wrong number of inputs, and an input that points forwards are named', () => {
  assert.equal(ruleBroken(graph()), 'needs at least one node, has none')
  assert.equal(ruleBroken(graph({ op: 'max', inputs: [0] })), 'node 0 (max) takes 2 inputs, has 1')
  assert.equal(ruleBroken(graph({ op: 'tanh', inputs: [0, 1] })), 'node 0 (tanh) takes 1 inputs, has 2')
  const forward = /node 1 \(neg\) needs inputs among the tensors 0\.\.4 before it, has 5/
  assert.match(ruleBroken(graph({ op: 'neg', inputs: [0] }, { op: 'neg', inputs: [5] })) ?? '', forward)
  assert.match(ruleBroken(graph({ op: 'neg', inputs: [-1] })) ?? '', /has -1/)
  assert.match(ruleBroken(graph({ op: 'neg', inputs: [0.5] })) ?? '', /has 0\.5/)
})

test('a searched layer needs ten nodes and the ops of its space', () => {
  const short = knownLayer('EvoNorm-S1').graph
  assert.throws(
    () => requireSearchable(short, 'S', 'search'),
    /search: a searched layer has 10 nodes, this one 4/,
  )
  const ten = (op: 'mean_nhw' | 'mean_hw') => graph(...new Array<GraphNode>(10).fill({ op, inputs: [0] }))
  assert.throws(() => requireSearchable(ten('mean_nhw'), 'S', 'search'), /space S has no op mean_nhw/)
  assert.equal(requireSearchable(ten('mean_nhw'), 'B', 'search').nodes.length, 10)
  assert.equal(requireSearchable(ten('mean_hw'), 'S', 'search').nodes.length, 10)
})

test('a layer is read back from its JSON', () => {
  const layer = knownLayer('EvoNorm-B0').graph
  assert.deepEqual(parseGraph(JSON.stringify(layer), 'import'), layer)
  assert.deepEqual(parseGraph(layer, 'import'), layer)
})

test('JSON that is no layer says who reads it and what is wrong where', () => {
  const node = { op: 'neg', inputs: [0] }
  for (const [value, message] of [
    ['{', /import: needs a layer as JSON/],
    [{ version: 2, nodes: [node], affine: true }, /import: not a layer: version/],
    [{ version: 1, nodes: [{ op: 'relu', inputs: [0] }], affine: true }, /nodes\.0\.op/],
    [{ version: 1, nodes: [node] }, /affine/],
    [{ version: 1, nodes: [node], affine: true, extra: 1 }, /extra/],
    [
      { version: 1, nodes: [{ op: 'neg', inputs: [4] }], affine: true },
      /import: node 0 \(neg\) needs inputs/,
    ],
    [null, /import: not a layer/],
  ] as const)
    assert.throws(() => parseGraph(value, 'import'), message)
})

test('two thousand mutations of a layer’s JSON give one sentence or a legal layer', () => {
  const random = createRandom('mutated layers', 1)
  const whole = Buffer.from(JSON.stringify(knownLayer('EvoNorm-B0').graph, null, 1))
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(whole)
    for (let changes = 1 + random.below(3); changes > 0; changes--)
      bytes[random.below(bytes.length)] = random.next() < 0.5 ? random.below(256) : 48 + random.below(10)
    const text = (random.next() < 0.2 ? bytes.subarray(0, random.below(bytes.length)) : bytes).toString()
    try {
      assert.equal(ruleBroken(parseGraph(text, 'import')), null)
    } catch (error) {
      assert.ok(error instanceof Error && error.name === 'Error', String(error))
      assert.match(error.message, /^import: [^\p{Cc}]+$/u)
    }
  }
})
