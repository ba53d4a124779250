import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprint } from '../../shared/canonical.ts'
import { formulaLatex, formulaText, parseFormula } from '../../shared/formula.ts'
import type { Graph, GraphNode } from '../../shared/graph.ts'
import { KNOWN, knownIn, knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { randomLayer } from '../../main/search/mutate.ts'

const graph = (...nodes: GraphNode[]): Graph => ({ version: 1, nodes, affine: true })
const roundTrip = (layer: Graph): void => {
  const text = formulaText(layer)
  assert.equal(fingerprint(parseFormula(text, layer.affine)), fingerprint(layer), text)
}

test('every known layer is read back from its own text', () => {
  for (const { graph: layer } of KNOWN) roundTrip(layer)
})

test('1,000 random layers are read back from their own text', () => {
  for (let i = 0; i < 1000; i++) roundTrip(randomLayer('B', createRandom('formula', i)))
})

test('signs and brackets keep their meaning', () => {
  const minusX: GraphNode = { op: 'neg', inputs: [0] }
  for (const [layer, text] of [
    [graph(minusX, { op: 'add', inputs: [3, 4] }), 'v1 - x'],
    [graph(minusX, { op: 'mul', inputs: [4, 3] }, { op: 'add', inputs: [2, 5] }), 'v0 + -x * v1'],
    [
      graph({ op: 'mul', inputs: [0, 3] }, { op: 'neg', inputs: [4] }, { op: 'add', inputs: [2, 5] }),
      'v0 - x * v1',
    ],
    [
      graph({ op: 'add', inputs: [0, 3] }, { op: 'neg', inputs: [4] }, { op: 'add', inputs: [2, 5] }),
      'v0 - (x + v1)',
    ],
    [graph(minusX, { op: 'neg', inputs: [4] }, { op: 'add', inputs: [3, 5] }), 'v1 - -x'],
    [graph({ op: 'div', inputs: [0, 3] }, { op: 'div', inputs: [2, 4] }), 'v0 / (x / v1)'],
    [graph({ op: 'add', inputs: [0, 3] }, { op: 'add', inputs: [2, 4] }), 'v0 + (x + v1)'],
  ] as const) {
    assert.equal(formulaText(layer), text)
    roundTrip(layer)
  }
})

test('the known layers read as in the literature', () => {
  const text = (name: string) => formulaText(knownLayer(name).graph)
  assert.equal(text('BN-ReLU'), 'max((x - mean_nhw(x)) / std_nhw(x) * v1 + v0, 0)')
  assert.equal(text('EvoNorm-B0'), 'x / max(std_nhw(x), v1 * x + std_hw(x))')
  assert.equal(text('EvoNorm-B1'), 'x / max(std_nhw(x), (x + 1) * rms_hw(x))')
  assert.equal(text('EvoNorm-B2'), 'x / max(std_nhw(x), rms_hw(x) - x)')
  assert.equal(text('EvoNorm-S0'), 'x * sigmoid(v1 * x) / std_hwg(x)')
  assert.equal(text('EvoNorm-S1'), 'x * sigmoid(x) / std_hwg(x)')
  assert.equal(text('EvoNorm-S2'), 'x * sigmoid(x) / rms_hwg(x)')
  assert.deepEqual(
    knownIn('S').map(({ name }) => name),
    ['GN-ReLU', 'LN-ReLU', 'IN-ReLU', 'EvoNorm-S0', 'EvoNorm-S1', 'EvoNorm-S2'],
  )
  assert.throws(() => knownLayer('PN-ReLU'), /needed one of BN-ReLU, .*, got "PN-ReLU"/)
})

test('LaTeX is written as the paper writes it', () => {
  assert.equal(
    formulaLatex(knownLayer('EvoNorm-B0').graph),
    String.raw`\frac{x}{\max\left(\sqrt{s^2_{b,w,h}(x)}, v_1 \, x + \sqrt{s^2_{w,h}(x)}\right)}`,
  )
  assert.equal(
    formulaLatex(knownLayer('EvoNorm-S0').graph),
    String.raw`\frac{x \, \sigma(v_1 \, x)}{\sqrt{s^2_{w,h,c/g}(x)}}`,
  )
  assert.equal(formulaLatex(parseFormula('v1 * -x')), String.raw`v_1 \, (-x)`)
  assert.equal(formulaLatex(parseFormula('square(x + 1)')), '(x + 1)^2')
})

test('LaTeX of random layers has balanced braces and brackets', () => {
  for (let i = 0; i < 300; i++) {
    const latex = formulaLatex(randomLayer('B', createRandom('latex', i)))
    const count = (pattern: RegExp) => latex.match(pattern)?.length ?? 0
    assert.equal(count(/\{/g), count(/\}/g), latex)
    assert.equal(count(/\(/g), count(/\)/g), latex)
    assert.equal(count(/\\left/g), count(/\\right/g), latex)
  }
})

test('what cannot be read names the position, what was needed and what came', () => {
  for (const [text, message] of [
    ['x +', /needed x, v0, v1, 0, 1, an op or "\(", got the end/],
    ['max(x)', /position 6: needed 2 arguments of max/],
    ['x * relu(x)', /position 5: .*got "relu"/],
    ['(x', /needed "\)", got the end/],
    ['x x', /position 3: needed an operator or the end, got "x"/],
    ['', /got the end/],
    ['x ? 1', /position 3: .*got "\?"/],
    ['__proto__', /position 1: needed x, .*got "__proto__"/],
    ['x * constructor', /position 5: .*got "constructor"/],
    ['toString(x)', /position 1: .*got "toString"/],
    [`${'('.repeat(100_000)}x`, /position 257: needed at most 256 brackets/],
    [`${'-'.repeat(100_000)}x`, /position 257: needed at most 256 brackets/],
    [`${'exp('.repeat(100_000)}x`, /position 1025: needed at most 256 brackets/],
  ] as const)
    assert.throws(() => parseFormula(text), message, text.slice(0, 40))
})

test('a layer whose text would double past all bounds is cut, not written out', () => {
  const nodes = Array.from({ length: 40 }, (_, i): GraphNode => {
    const from = i === 0 ? 0 : 3 + i
    return { op: 'max', inputs: [from, from] }
  })
  assert.ok(formulaText(graph(...nodes)).length < 40_000)
})
