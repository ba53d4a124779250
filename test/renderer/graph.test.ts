import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphDrawing, OUTPUT } from '../../renderer/draw/graph.ts'
import { outline } from '../../renderer/draw/outline.ts'
import { boxHelp } from '../../renderer/help.ts'
import { mutationOf, mutationText, sameNode } from '../../renderer/mutation.ts'
import { fingerprint, liveNodes } from '../../shared/canonical.ts'
import type { Graph } from '../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import type { Candidate, Origin } from '../../shared/records.ts'
import { mutate, randomLayer } from '../../main/search/mutate.ts'

const layers = [
  ...KNOWN.map(({ graph }) => graph),
  ...Array.from({ length: 40 }, (_, i) => randomLayer('B', createRandom('drawing', i))),
]

test('every live node is drawn once, with an edge from each of its operands and one to the output', () => {
  for (const graph of layers) {
    const { boxes, edges } = graphDrawing(graph)
    const live = liveNodes(graph)
    assert.deepEqual(
      boxes.filter((box) => box.op !== null).map((box) => box.tensor - 4),
      live,
    )
    const operands = live.flatMap((i) => graph.nodes[i]!.inputs.map((from) => `${from}>${i + 4}`))
    assert.deepEqual(
      edges.map(({ from, to }) => `${from}>${to}`).sort(),
      [...operands, `${graph.nodes.length + 3}>${OUTPUT}`].sort(),
    )
  }
})

test('no two boxes overlap, none leaves the drawing, and data flows downwards', () => {
  for (const graph of layers) {
    const { boxes, edges, width, height } = graphDrawing(graph, { dead: true })
    for (const a of boxes) {
      assert.ok(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= width, `${a.label} is inside, across`)
      assert.ok(a.y - a.height / 2 >= 0 && a.y + a.height / 2 <= height, `${a.label} is inside, down`)
      for (const b of boxes) {
        if (a.tensor >= b.tensor) continue
        const apart =
          Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2
        assert.ok(apart, `${a.label} and ${b.label}`)
      }
    }
    const y = new Map(boxes.map((box) => [box.tensor, box.y]))
    for (const { from, to } of edges) assert.ok(y.get(from)! < y.get(to)!, `${from} above ${to}`)
  }
})

test('the inputs stand in one row at the top', () => {
  const { boxes } = graphDrawing(knownLayer('BN-ReLU').graph)
  const inputs = boxes.filter((box) => box.kind === 'input')
  assert.deepEqual(
    inputs.map((box) => box.label),
    ['x', '0', 'v₀', 'v₁'],
  )
  assert.equal(new Set(inputs.map((box) => box.y)).size, 1)
  assert.equal(Math.min(...boxes.map((box) => box.y)), inputs[0]!.y)
})

test('unused nodes are drawn on request and told apart', () => {
  const graph: Graph = {
    version: 1,
    nodes: [
      { op: 'tanh', inputs: [0] },
      { op: 'abs', inputs: [0] },
    ],
    affine: true,
  }
  assert.deepEqual(
    graphDrawing(graph).boxes.map((box) => box.tensor),
    [0, 5, OUTPUT],
  )
  assert.deepEqual(
    graphDrawing(graph, { dead: true }).boxes.map((box) => [box.tensor, box.live]),
    [
      [0, true],
      [4, false],
      [5, true],
      [OUTPUT, true],
    ],
  )
})

test('only a quotient names its operands, whose order matters', () => {
  const { edges } = graphDrawing(knownLayer('EvoNorm-B0').graph)
  assert.deepEqual(
    edges.flatMap(({ operand }) => (operand ? [operand.text] : [])),
    ['x', 'y'],
  )
})

test('beside each other, a layer and its parent have their common nodes at the same places', () => {
  const parent = randomLayer('B', createRandom('parent', 3))
  const child = mutate(parent, 'B', createRandom('child', 4)).graph
  const a = graphDrawing(parent, { beside: [child], dead: true })
  const b = graphDrawing(child, { beside: [parent], dead: true })
  const places = new Map(a.boxes.map((box) => [box.tensor, box]))
  for (const box of b.boxes) {
    const other = places.get(box.tensor)
    if (other) assert.deepEqual([box.x, box.y], [other.x, other.y], `tensor ${box.tensor}`)
  }
})

const candidateOf = (number: number, graph: Graph, origin: Origin): Candidate => ({
  number,
  role: 'candidate',
  graph,
  fingerprint: fingerprint(graph),
  origin,
  status: 'scored',
  scores: null,
  rejection: null,
  failure: null,
  duplicateOf: null,
  sameBy: null,
  rerankScores: null,
  seconds: 0,
})

test('a mutation says which node became what, and what it brought to life or left unused', () => {
  const graph = (last: Graph['nodes'][number]): Graph => ({
    version: 1,
    nodes: [{ op: 'tanh', inputs: [0] }, { op: 'std_hw', inputs: [0] }, last],
    affine: true,
  })
  const parent = candidateOf(1, graph({ op: 'mul', inputs: [0, 4] }), { kind: 'random' })
  const child = candidateOf(2, graph({ op: 'div', inputs: [0, 5] }), { kind: 'mutation', parent: 1, node: 2 })
  const mutation = mutationOf(child, parent)!
  assert.equal(mutationText(mutation), 'mul(x, n1) → div(x, n2)')
  assert.equal(mutationText(mutation, true), 'mul → div')
  assert.deepEqual([mutation.live, mutation.gained, mutation.lost], [true, [1], [0]])
  assert.equal(mutationOf(parent, null), null)
  assert.deepEqual(
    [0, 1, 2].map((i) => sameNode(parent.graph, child.graph, i)),
    [true, true, false],
  )
})

test('each kind of node has an outline of its own, as wide and high as its box', () => {
  const outlines = (['input', 'binary', 'aggregate', 'output'] as const).map((kind) =>
    outline({ kind, width: 60, height: 30 }),
  )
  assert.equal(new Set(outlines).size, outlines.length)
  assert.equal(outline({ kind: 'aggregate', width: 60, height: 30 }), 'M-22,-15H22L30,0L22,15H-22L-30,0Z')
})

test('a node is explained by what it computes, and by what the parent had in its place', () => {
  const graph: Graph = { version: 1, nodes: [{ op: 'tanh', inputs: [0] }], affine: true }
  const before: Graph = { version: 1, nodes: [{ op: 'abs', inputs: [0] }], affine: true }
  const node = { tensor: 4, op: 'tanh', live: true } as const
  assert.equal(boxHelp(graph, node), 'n1 = tanh(x): tanh(x), hyperbolic tangent.')
  assert.equal(boxHelp(graph, node, before), 'n1 = tanh(x): tanh(x), hyperbolic tangent. Was abs(x).')
  assert.match(boxHelp(graph, { ...node, live: false }), /does not depend on it/)
  assert.match(boxHelp(graph, { tensor: OUTPUT, op: null, live: true }), /γ/)
})
