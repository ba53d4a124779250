import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { MOST_EXPRESSIONS } from '../../shared/derivative.ts'
import { EXPORTS, EXPORT_TARGETS } from '../../shared/export/index.ts'
import { formulaLatex, formulaText, parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { OP_NAMES, OPS } from '../../shared/ops.ts'
import { createRandom } from '../../shared/random.ts'
import { randomWorst, repeated, workOf, worstLayers } from './adversary.ts'

/** Chains of 64 nodes that use the node before twice: written out, each has more terms than there are atoms. */
const CHAINS: Graph[] = [
  ...OP_NAMES.map((op) => repeated([OPS[op].arity === 2 ? [op, 1, 1] : [op, 1]])),
  ...(['mul', 'add', 'max', 'div'] as const).map((op) => repeated([[op, 1, 2]])),
  repeated([
    ['tanh', 1],
    ['sigmoid', 2],
    ['add', 1, 2],
  ]),
  repeated([
    ['exp', 1],
    ['mul', 1, 2],
    ['std_hwg', 1],
    ['add', 1, 2],
  ]),
  repeated([
    ['max', 1, -2],
    ['mul', 1, 2],
    ['add', 1, 3],
  ]),
  repeated([
    ['mul', 1, -3],
    ['add', 1, 2],
    ['rms_nhw', 1],
    ['div', 2, 1],
  ]),
  repeated([
    ['square', 1],
    ['mean_hwg', 1],
    ['mul', 1, 2],
  ]),
]

const random = createRandom('worst layers')
const LAYERS = [...CHAINS, ...worstLayers(), ...Array.from({ length: 30 }, () => randomWorst(random))]

test('every legal layer is derived with bounded work, the worst that a search found too', () => {
  assert.ok(worstLayers().length > 0)
  for (const graph of LAYERS) {
    const work = workOf(graph)
    const { first, second, factors, instructions } = work
    const told = `${formulaText(graph)}: ${JSON.stringify(work)}`
    assert.ok(first < 2_000, told)
    assert.ok(second < MOST_EXPRESSIONS, told)
    assert.ok(factors <= 24, told)
    assert.ok(instructions < 8_000, told)
  }
})

test('formulas, exports and the fingerprint of every legal layer stay short', () => {
  for (const graph of LAYERS) {
    const text = formulaText(graph)
    assert.ok(text.length < 4_000, `${text.length} characters`)
    assert.equal(fingerprint(parseFormula(text, graph.affine)), fingerprint(graph), text)
    assert.ok(formulaLatex(graph).length < 8_000)
    assert.equal(canonical(canonical(graph)).nodes.length, canonical(graph).nodes.length)
    for (const target of EXPORT_TARGETS) assert.ok(EXPORTS[target].generate(graph, 'Worst').length < 24_000)
  }
})
