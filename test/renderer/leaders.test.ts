import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LineageNode, SearchSummary } from '../../shared/contract.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { createRandom } from '../../shared/random.ts'
import { architectureLabels } from '../../renderer/architectures.ts'
import { fit } from '../../renderer/fit.ts'
import { readLayer } from '../../renderer/layer-text.ts'
import { leaders } from '../../renderer/leaders.ts'
import { ranked, standing, verdict } from '../../renderer/standing.ts'
import { formulaText } from '../../shared/formula.ts'
import { knownLayer } from '../../shared/known.ts'

const node = (number: number, average: number | null, more: Partial<LineageNode> = {}): LineageNode => ({
  number,
  role: 'candidate',
  parent: null,
  origin: 'random',
  status: average === null ? 'rejected' : 'scored',
  rejected: average === null ? 'static' : null,
  duplicateOf: null,
  family: null,
  known: null,
  average,
  scores: average === null ? null : [average],
  fingerprint: String(number),
  alive: false,
  ...more,
})
const summary: Pick<SearchSummary, 'best' | 'rival' | 'seedSpread' | 'baselines' | 'search'> = {
  search: {
    id: 's',
    name: 'A search',
    createdAt: '2026-01-01T00:00:00Z',
    config: PRESETS.demo.config,
    state: 'done',
    stage: 'finished',
    failure: null,
    seconds: 1,
    made: {},
  },
  best: { number: 9, average: 0.5, purpose: 'score' },
  seedSpread: null,
  rival: { name: 'LN-ReLU', number: 2, average: 0.55 },
  baselines: [
    { name: 'BN-ReLU', number: 0, scores: [0.4, 0.5] },
    { name: 'GN-ReLU', number: 1, scores: null },
    { name: 'LN-ReLU', number: 2, scores: [0.6, 0.5] },
  ],
}

test('the ranking holds the best layers of a search, as sorting all of them would', () => {
  const random = createRandom('leaders', 1)
  const nodes = Array.from({ length: 400 }, (_, i) => node(i, random.next() < 0.5 ? null : random.next()))
  const sorted = nodes
    .filter(({ average }) => average !== null)
    .sort((a, b) => b.average! - a.average!)
    .slice(0, 7)
  assert.deepEqual(
    leaders(nodes, [], 7).map(({ number }) => number),
    sorted.map(({ number }) => number),
  )
})

test('duplicates and baselines among the nodes take no place from a layer', () => {
  const nodes = [
    node(0, 0.9, { role: 'baseline' }),
    node(3, 0.8),
    node(4, 0.8, { status: 'duplicate', duplicateOf: 3 }),
    node(5, 0.2),
  ]
  const known = [
    { name: 'GN-ReLU', number: 1, scores: null, average: null },
    { name: 'BN-ReLU', number: 0, scores: [0.9], average: 0.9 },
  ]
  assert.deepEqual(leaders(nodes, known, 2), [
    { number: 0, name: 'BN-ReLU', average: 0.9 },
    { number: 3, name: null, average: 0.8 },
    { number: 5, name: null, average: 0.2 },
    { number: 1, name: 'GN-ReLU', average: null },
  ])
})

test('baselines are ranked, the untrained ones last; a search stands against the best known layer', () => {
  assert.deepEqual(
    ranked(summary).map(({ name, average }) => [name, average]),
    [
      ['LN-ReLU', 0.55],
      ['BN-ReLU', 0.45],
      ['GN-ReLU', null],
    ],
  )
  const found = standing(summary)
  assert.equal(found?.against?.name, 'LN-ReLU')
  assert.ok(Math.abs(found.against.lead + 0.05) < 1e-12, 'five points behind')
  // Two standard errors of a difference of about 0.5 and 0.55 on 1,000 images: 2 √(0.25 / 1000 + 0.2475 / 1000).
  assert.ok(Math.abs(found.noise - 0.0446) < 1e-4, `${found.noise}`)
  assert.deepEqual([found.steps, found.images, verdict(found)], [120, 1000, 'behind'])
  assert.equal(standing({ ...summary, best: null }), null)
  assert.equal(standing({ ...summary, rival: null })?.against, null)
})

test('the spread between seeds counts as noise where it was measured', () => {
  const measured = standing({ ...summary, seedSpread: 0.03 })!
  // 2 √(0.25 / 1000 + 0.2475 / 1000 + 2 · 0.03²).
  assert.ok(Math.abs(measured.noise - 0.0958) < 1e-4, `${measured.noise}`)
  assert.deepEqual([standing(summary)!.seedSpread, measured.seedSpread], [null, 0.03])
  assert.equal(verdict(measured), 'within noise', 'five points')
})

test('what was trained longer stands against what was trained as long; a lead within noise is none', () => {
  const longer = standing({
    ...summary,
    best: { number: 9, average: 0.71, purpose: 'rerank' },
    rival: { name: 'BN-ReLU', number: 0, average: 0.7 },
  })!
  assert.deepEqual([longer.against?.name, longer.steps], ['BN-ReLU', 240])
  assert.equal(verdict(longer), 'within noise')
  assert.equal(verdict({ ...longer, against: { name: 'BN-ReLU', lead: 0.1 } }), 'ahead')
})

test('a known layer among the candidates keeps its name in the ranking', () => {
  const nodes = [node(3, 0.8, { known: 'EvoNorm-B2' }), node(4, 0.7)]
  assert.deepEqual(
    leaders(nodes, [], 5).map(({ name }) => name),
    ['EvoNorm-B2', null],
  )
})

test('architectures are told apart by their sizes only where a name is there twice', () => {
  assert.deepEqual(architectureLabels(PRESETS.demo.config.architectures), [
    'ResNet',
    'MobileNetV2',
    'EfficientNet',
  ])
  const resnet = { name: 'resnet', width: 0.5, depth: 1 } as const
  assert.deepEqual(architectureLabels([resnet, { ...resnet, width: 1 }, resnet]), [
    'ResNet 0.5×1',
    'ResNet 1×1',
    'ResNet 0.5×1 (3)',
  ])
})

test('a layer is read from a formula, from its JSON, and from an export around it', () => {
  const { graph } = knownLayer('EvoNorm-S0')
  for (const text of [formulaText(graph), JSON.stringify(graph), JSON.stringify({ number: 3, graph })]) {
    const read = readLayer(text, 'S')
    assert.ok('graph' in read, text)
    assert.equal(formulaText(read.graph), formulaText(graph))
  }
})

test('what is no layer of the space is refused with the reason', () => {
  const reason = (text: string, space: 'B' | 'S' = 'B'): string => {
    const read = readLayer(text, space)
    assert.ok('problem' in read, text)
    return read.problem
  }
  assert.match(reason('x * sigmoid('), /needed/)
  assert.match(reason('{"version": 1'), /JSON/)
  assert.match(reason('{"version": 1, "nodes": [], "affine": true}'), /nodes/)
  assert.match(reason(formulaText(knownLayer('EvoNorm-B0').graph), 'S'), /independent of the batch.*std_nhw/)
  assert.match(reason(formulaText(knownLayer('BN-Swish').graph) + ' + tanh(x) * exp(x)'), /at most 10 ops/)
})

test('a command is found by letters in order, the closest first', () => {
  assert.equal(fit('Lineage', 'xyz'), null)
  assert.equal(fit('Live', 'evil'), null)
  const [whole, scattered] = [fit('Live', 'live'), fit('Lineage of every layer', 'live')]
  assert.ok(whole !== null && scattered !== null && whole > scattered)
})
