import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutate, padToTen, randomLayer } from '../../main/search/mutate.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { INPUTS, SEARCH_NODES, type Graph } from '../../shared/graph.ts'
import { KNOWN, knownIn, knownLayer } from '../../shared/known.ts'
import { opsOf, OPS, type Space } from '../../shared/ops.ts'
import { createRandom } from '../../shared/random.ts'
import { requireSearchable } from '../../shared/rules.ts'

const DRAWS = 20_000

/** Chi-square against equal shares; the bound is exceeded once in a thousand honest draws. */
const assertUniform = (counts: readonly number[], what: string) => {
  const total = counts.reduce((a, b) => a + b)
  const expected = total / counts.length
  const chi = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  const df = counts.length - 1
  // Wilson-Hilferty approximation of the 0.999 quantile.
  const bound = df * (1 - 2 / (9 * df) + 3.09 * Math.sqrt(2 / (9 * df))) ** 3
  assert.ok(chi < bound, `${what}: chi-square ${chi.toFixed(1)}, bound ${bound.toFixed(1)} (${df} degrees)`)
}

/** How often node `at` has each op, and how often each earlier tensor is its predecessor. */
const tally = (layers: readonly Graph[], at: number, space: Space) => {
  const names = opsOf(space)
  const ops = new Array<number>(names.length).fill(0)
  const inputs = new Array<number>(INPUTS.length + at).fill(0)
  for (const { nodes } of layers) {
    ops[names.indexOf(nodes[at]!.op)]!++
    for (const input of nodes[at]!.inputs) inputs[input]!++
  }
  return { ops, inputs }
}

for (const space of ['B', 'S'] as const)
  test(`random layers of space ${space}: ops and predecessors are uniform at every node`, () => {
    const layers = Array.from({ length: DRAWS }, (_, i) => randomLayer(space, createRandom('layers', i)))
    for (const layer of layers.slice(0, 500)) requireSearchable(layer, space, 'test')
    for (let at = 0; at < SEARCH_NODES; at++) {
      const { ops, inputs } = tally(layers, at, space)
      assertUniform(ops, `ops of node ${at}`)
      assertUniform(inputs, `predecessors of node ${at}`)
    }
  })

test('the two operands of a binary op are drawn independently', () => {
  const pairs = new Array<number>(25).fill(0)
  for (let i = 0; i < DRAWS; i++) {
    const { inputs } = randomLayer('B', createRandom('pairs', i)).nodes[1]!
    if (inputs.length === 2) pairs[inputs[0]! * 5 + inputs[1]!]!++
  }
  assertUniform(pairs, 'pairs of predecessors')
})

test('a mutation replaces one node, picked uniformly, by a uniform draw, and leaves the others', () => {
  const parent = randomLayer('B', createRandom('parent'))
  const picked = new Array<number>(SEARCH_NODES).fill(0)
  const children: { graph: Graph; node: number }[] = []
  for (let i = 0; i < DRAWS; i++) {
    const child = mutate(parent, 'B', createRandom('mutate', i))
    picked[child.node]!++
    children.push(child)
    for (const [at, node] of child.graph.nodes.entries())
      if (at !== child.node) assert.deepEqual(node, parent.nodes[at])
  }
  assertUniform(picked, 'mutated node')
  const atSeven = children.filter(({ node }) => node === 7).map(({ graph }) => graph)
  const { ops, inputs } = tally(atSeven, 7, 'B')
  assertUniform(ops, 'new op')
  assertUniform(inputs, 'new predecessors')
})

test('mutations in space S never bring in a batch statistic', () => {
  const parent = padToTen(knownLayer('EvoNorm-S0').graph, 'S', createRandom('pad'))
  for (let i = 0; i < 2000; i++) {
    const { graph } = mutate(parent, 'S', createRandom('s', i))
    assert.ok(graph.nodes.every(({ op }) => OPS[op].over !== 'nhw'))
  }
})

test('the same seed gives the same layer and the same mutation', () => {
  const make = () => {
    const random = createRandom('search', 1, 42)
    return mutate(randomLayer('B', random), 'B', random)
  }
  assert.deepEqual(make(), make())
})

test('every known layer is padded to ten nodes and stays the same layer', () => {
  for (const { name, graph } of KNOWN) {
    const space = knownIn('S').some((layer) => layer.name === name) ? 'S' : 'B'
    const padded = padToTen(graph, space, createRandom('pad', name))
    requireSearchable(padded, space, name)
    assert.equal(fingerprint(padded), fingerprint(graph), name)
  }
})

test('a padded layer can bring its dead nodes to life', () => {
  const random = createRandom('alive')
  const padded = padToTen(knownLayer('EvoNorm-S1').graph, 'S', random)
  const reached = new Set<number>()
  for (let i = 0; i < 500; i++) {
    const { graph, node } = mutate(padded, 'S', random)
    for (const input of graph.nodes[node]!.inputs) reached.add(input)
  }
  for (let dead = 0; dead < 6; dead++) assert.ok(reached.has(INPUTS.length + dead))
})

test('children close with the affine even where the known parent does not', () => {
  const random = createRandom('affine')
  const parent = padToTen(knownLayer('BN-ReLU').graph, 'B', random)
  assert.equal(parent.affine, false)
  assert.equal(mutate(parent, 'B', random).graph.affine, true)
})

test('a layer of more than ten nodes cannot enter the space', () => {
  const nodes = new Array(11).fill({ op: 'tanh', inputs: [0] })
  assert.throws(
    () => padToTen({ version: 1, nodes, affine: true }, 'S', createRandom(1)),
    /pad: a searched layer has 10 nodes, this one 11/,
  )
})
