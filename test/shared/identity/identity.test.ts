import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutate, padToTen, randomLayer } from '../../../main/search/mutate.ts'
import { formulaText, parseFormula } from '../../../shared/formula.ts'
import type { Graph } from '../../../shared/graph.ts'
import { asTrained, identify } from '../../../shared/identity/identity.ts'
import { simplify } from '../../../shared/identity/simplify.ts'
import { graphOf } from '../../../shared/identity/term.ts'
import { interpret, type Numbers, type Shape } from '../../../shared/interpret.ts'
import { KNOWN } from '../../../shared/known.ts'
import { OPS } from '../../../shared/ops.ts'
import { createRandom } from '../../../shared/random.ts'
import { repeated, worstLayers } from '../adversary.ts'

const random = createRandom('identity test')
const SHAPE: Shape = [3, 3, 3, 4]
const vector = (length: number, shift = 0): Float64Array =>
  Float64Array.from({ length }, () => shift + random.normal())
const INPUT = { shape: SHAPE, data: vector(108) }
const V0 = vector(4)
const V1 = vector(4, 0.5)
const values = (graph: Graph): Numbers => interpret(graph, INPUT, V0, V1, 2)

/** Largest difference beside the largest finite value; where one is not finite, the other need not be either. */
const difference = (a: Numbers, b: Numbers): number => {
  let scale = 1e-3
  let worst = 0
  for (const [i, value] of a.entries())
    if (Number.isFinite(value)) {
      scale = Math.max(scale, Math.abs(value))
      worst = Math.max(worst, Math.abs(value - b[i]!))
    }
  return Number.isFinite(worst) ? worst / scale : Infinity
}

/** Random layers, and known ones a few mutations on. */
const layers = (count: number): Graph[] => {
  const short = KNOWN.filter(({ graph }) => graph.nodes.length <= 10)
  return Array.from({ length: count }, (_, i) => {
    if (i % 2 === 0) return randomLayer('B', random)
    let graph = padToTen(random.pick(short).graph, 'B', random)
    for (let n = random.below(6); n >= 0; n--) graph = mutate(graph, 'B', random).graph
    return graph
  })
}
const SOME = layers(3000)

test('simplified, 3,000 layers compute what they computed', () => {
  for (const layer of SOME) {
    const graph = { ...layer, affine: false }
    const simple = graphOf(simplify(graph), false)
    assert.ok(
      difference(values(graph), values(simple)) < 1e-5,
      `${formulaText(graph)} is no ${formulaText(simple)}`,
    )
  }
})

test('one formula is one function and one start; layers told to be one function have the same values elsewhere', () => {
  const byFormula = new Map<string, string>()
  const byFunction = new Map<string, Graph>()
  for (const layer of SOME) {
    const graph = { ...layer, affine: false }
    const { formula, function: its, start } = identify(graph)
    const other = byFormula.get(formula)
    if (other !== undefined) assert.equal(`${its} ${start}`, other, formulaText(graph))
    byFormula.set(formula, `${its} ${start}`)
    const first = byFunction.get(its)
    if (first)
      assert.ok(
        difference(values(asTrained(first)), values(asTrained(graph))) < 1e-4,
        `${formulaText(first)} is no ${formulaText(graph)}`,
      )
    else byFunction.set(its, graph)
  }
  assert.ok(byFunction.size > 800 && byFunction.size < byFormula.size, `${byFunction.size} functions`)
})

const same = (by: 'formula' | 'function' | 'start', a: string, b: string): boolean =>
  identify(parseFormula(a, true))[by] === identify(parseFormula(b, true))[by]

test('layers that a search was seen to train again and again are one formula', () => {
  const base = 'x / rms_hwg(x + v1)'
  for (const more of ['std_hw(0)', 'square(0)', 'mean_hwg(0)', 'abs(v0)', 'std_hwc(v1)'])
    assert.ok(same('formula', base, `${more} + ${base}`), more)
  assert.ok(same('formula', '-tanh(x)', 'max(-tanh(x), -tanh(x))'))
  for (const relu of ['max(sqrt(0), x)', 'abs(max(x, 0))', 'max(max(x, 0), 0)', 'max(x, x * 0)'])
    assert.ok(same('formula', 'max(x, 0)', relu), relu)
})

test('a v0 that training never moves is 0', () => {
  for (const stuck of [
    'max(x, abs(v0))',
    'max(x, sqrt(tanh(v0)))',
    'max(x, mean_hw(abs(v0)))',
    'max(x, v0 * v0)',
  ])
    assert.ok(same('formula', 'max(x, 0)', stuck), stuck)
  for (const moving of [
    'max(x, v0)',
    'max(x, tanh(v0))',
    'max(x, max(v0, 0))',
    'max(x, exp(v0))',
    'max(x, abs(v0 + x))',
  ])
    assert.ok(!same('function', 'max(x, 0)', moving), moving)
})

test('what no rule knows is told by its values', () => {
  for (const [a, b] of [
    ['abs(x - v1)', 'max(x, v1) + max(-x, -v1)'],
    ['max(x, 1)', 'max(x, x / x)'],
    ['tanh(abs(x))', 'abs(tanh(x))'],
  ] as const) {
    assert.ok(!same('formula', a, b), `${a} and ${b}: no rule`)
    assert.ok(same('function', a, b), `${a} is ${b}`)
  }
})

test('layers that differ only by v0 and v1 start alike, and are two functions', () => {
  for (const [a, b] of [
    ['x * sigmoid(x) / std_hwg(x)', 'x * sigmoid(v1 * x) / std_hwg(x)'],
    ['max(x, v0)', 'max(x, 0)'],
    ['tanh(x + std_hw(0))', 'tanh(x)'],
  ] as const) {
    assert.ok(same('start', a, b), `${a} starts as ${b}`)
    assert.ok(!same('function', a, b), `${a} is not ${b}`)
  }
  for (const { name, graph } of KNOWN)
    for (const other of KNOWN)
      if (name !== other.name)
        assert.notEqual(identify(graph).function, identify(other.graph).function, `${name} ${other.name}`)
})

test('layers of 64 nodes that double what they hold with every node have an identity', () => {
  const chains = (['add', 'mul', 'square', 'div', 'max'] as const).map((op) =>
    repeated([[op, 1, ...(op === 'square' ? [] : [1])]]),
  )
  // v1 + v1, doubled again and again: the value at the start is that of each node, worked out once.
  const vectors = repeated([['add', 1, 1]])
  const layers = [
    ...worstLayers(),
    ...chains,
    { ...vectors, nodes: [{ op: 'add', inputs: [3, 3] }, ...vectors.nodes.slice(1)] } satisfies Graph,
  ]
  for (const graph of layers) {
    const { formula, function: own } = identify(graph)
    // Operands in another order are the same formula.
    const turned = {
      ...graph,
      nodes: graph.nodes.map((node) =>
        OPS[node.op].commutative ? { ...node, inputs: [...node.inputs].reverse() } : node,
      ),
    }
    assert.deepEqual([identify(turned).formula, identify(turned).function], [formula, own])
  }
})
