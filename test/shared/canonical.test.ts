import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonical, fingerprint, liveNodes } from '../../shared/canonical.ts'
import { parseFormula } from '../../shared/formula.ts'
import { INPUTS, outputIndex, type Graph, type GraphNode } from '../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { OPS } from '../../shared/ops.ts'
import { createRandom, type Random } from '../../shared/random.ts'
import { randomLayer } from '../../main/search/mutate.ts'

const FIRST = INPUTS.length

/** The same layer told differently: nodes in another legal order, operands swapped, dead nodes in between. */
const retell = (graph: Graph, random: Random): Graph => {
  const nodes: GraphNode[] = []
  const moved = new Map<number, number>(INPUTS.map((_, i) => [i, i]))
  const waiting = new Set(graph.nodes.keys())
  const last = graph.nodes.length - 1
  const emit = (index: number) => {
    const { op, inputs } = graph.nodes[index]!
    const mapped = inputs.map((input) => moved.get(input)!)
    if (OPS[op].commutative && random.next() < 0.5) mapped.reverse()
    nodes.push({ op, inputs: mapped })
    moved.set(FIRST + index, FIRST + nodes.length - 1)
    waiting.delete(index)
  }
  while (waiting.size > 1) {
    if (random.next() < 0.3) nodes.push({ op: 'tanh', inputs: [random.below(FIRST + nodes.length)] })
    const ready = [...waiting].filter(
      (i) => i !== last && graph.nodes[i]!.inputs.every((input) => moved.has(input)),
    )
    emit(random.pick(ready))
  }
  emit(last)
  return { ...graph, nodes }
}

test('order of nodes, operands of commutative ops and dead nodes leave the fingerprint as it is', () => {
  for (let i = 0; i < 300; i++) {
    const layer = randomLayer('B', createRandom('layer', i))
    const other = retell(layer, createRandom('retell', i))
    assert.equal(fingerprint(other), fingerprint(layer))
    assert.deepEqual(canonical(other), canonical(layer))
  }
})

test('the canonical graph is its own canonical form and has only live, different nodes', () => {
  for (let i = 0; i < 300; i++) {
    const form = canonical(randomLayer('B', createRandom('layer', i)))
    assert.deepEqual(canonical(form), form)
    if (form.nodes.length > 0) assert.equal(liveNodes(form).length, form.nodes.length)
    const told = form.nodes.map((node) => `${node.op}(${node.inputs.join()})`)
    assert.equal(new Set(told).size, told.length)
  }
})

test('equal sub-expressions are one: (x+v1)·(v1+x) is the square of one sum', () => {
  const twice = parseFormula('(x + v1) * (v1 + x)')
  assert.equal(canonical(twice).nodes.length, 2)
  assert.equal(fingerprint(twice), fingerprint(parseFormula('(v1 + x) * (v1 + x)')))
})

test('different functions have different fingerprints', () => {
  const different = ['x / v1', 'v1 / x', 'x * v1', 'x + v1', 'x - v1', 'v1 - x', 'max(x, v1)', 'max(x, v0)']
  const prints = different.map((formula) => fingerprint(parseFormula(formula)))
  prints.push(...KNOWN.map(({ graph }) => fingerprint(graph)))
  assert.equal(new Set(prints).size, prints.length)
})

test('the closing affine is part of the fingerprint', () => {
  const { graph } = knownLayer('BN-ReLU')
  assert.notEqual(fingerprint(graph), fingerprint({ ...graph, affine: true }))
})

test('a long chain of doublings is told apart without writing it out', () => {
  const doubling = (count: number): Graph => ({
    version: 1,
    nodes: Array.from({ length: count }, (_, i) => {
      const from = i === 0 ? 0 : FIRST + i - 1
      return { op: 'add', inputs: [from, from] } as const
    }),
    affine: true,
  })
  assert.notEqual(fingerprint(doubling(63)), fingerprint(doubling(64)))
  assert.equal(outputIndex(canonical(doubling(64))), FIRST + 63)
})

test('fingerprints are fixed: stored ones stay valid', () => {
  assert.equal(fingerprint(knownLayer('EvoNorm-B0').graph), 'fbb51a68301119c0ed4bdd8443e162a5')
  assert.match(fingerprint(knownLayer('BN-ReLU').graph), /^[0-9a-f]{32}$/)
})
