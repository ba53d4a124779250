import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allSteps, championSteps } from '../../renderer/champion.ts'
import { foldExtinct, MOST_BANDS } from '../../renderer/draw/bands.ts'
import type { LineageDrawing } from '../../renderer/drawing.ts'
import { lineageModel } from '../../renderer/draw/lineage.ts'
import { sceneOf } from '../../renderer/draw/scene.ts'
import { href, parseRoute, type Route } from '../../renderer/route.ts'
import { candidate, rejected } from './nodes.ts'

const scored = (number: number, parent: number | null, average: number | null) =>
  candidate(number, parent, { average, scores: average === null ? null : [average] })

test('steps within noise of the last one shown are folded, slow drift is not', () => {
  // On 10,000 images two accuracies near 0.5 are apart by chance up to 2 · √(2 · 0.25 / 10,000) = 0.0141.
  const path = [0.5, 0.51, 0.505, null, 0.52, 0.529, 0.53].map((average, i) =>
    scored(i, i === 0 ? null : i - 1, average),
  )
  const steps = championSteps(path, 10_000)
  assert.deepEqual(
    steps.map(({ node, folded }) => [node.number, folded.map(({ number }) => number)]),
    [
      [0, []],
      [4, [1, 2, 3]],
      [6, [5]],
    ],
  )
  assert.equal(steps[1]!.change!.noise.toFixed(4), '0.0141')
  assert.equal(steps[1]!.change!.lead.toFixed(3), '0.020')
  assert.equal(allSteps(path, 10_000).length, path.length)
})

test('a path of 558 ancestors is told in a handful of steps when little changed', () => {
  const path = Array.from({ length: 558 }, (_, i) => scored(i, i === 0 ? null : i - 1, 0.5 + i / 5580))
  const steps = championSteps(path, 1000)
  assert.ok(steps.length < 6, `${steps.length} steps`)
  assert.equal(steps.length + steps.reduce((sum, { folded }) => sum + folded.length, 0), 558)
})

const FAMILY = [
  scored(0, null, 0.5),
  scored(1, 0, 0.6),
  scored(2, 0, 0.4),
  scored(3, 2, 0.7),
  scored(4, 1, 0.65),
  scored(5, null, 0.3),
  scored(6, 5, 0.2),
  scored(7, 0, 0.1),
]
const fold = { keep: new Set([4]), opened: new Set<number>() }

test('what does not lead to a layer that is kept is a band with its size and its best', () => {
  const { nodes, bands } = foldExtinct(FAMILY, fold)
  assert.deepEqual(
    nodes.map(({ number }) => number),
    [0, 1, 4],
  )
  assert.deepEqual(
    bands.map(({ parent, first, last, count, best, heads }) => ({ parent, first, last, count, best, heads })),
    [
      { parent: 0, first: 2, last: 7, count: 3, best: 0.7, heads: [2, 7] },
      { parent: null, first: 5, last: 6, count: 2, best: 0.3, heads: [5] },
    ],
  )
})

test('an opened band gives its layers back', () => {
  const { nodes, bands } = foldExtinct(FAMILY, { ...fold, opened: new Set([2, 7]) })
  assert.deepEqual(
    nodes.map(({ number }) => number),
    [0, 1, 2, 3, 4, 7],
  )
  assert.equal(bands.length, 1)
})

test('of many extinct branches the largest are bands, and no layer is lost from the count', () => {
  const spine = Array.from({ length: 60 }, (_, i) => scored(i, i === 0 ? null : i - 1, 0.5))
  const branches = spine.flatMap(({ number }) =>
    Array.from({ length: 1 + number }, (_, i) => scored(1000 + number * 100 + i, number, 0.4)),
  )
  const families = Array.from({ length: 40 }, (_, i) => scored(9000 + i, null, 0.1))
  const nodes = [...spine, ...branches, ...families, rejected(9999, 3, 'static')]
  const model = lineageModel(nodes, 'family', 'lanes', new Set(), {
    fold: { keep: new Set([59]), opened: new Set() },
  })
  assert.equal(model.bands.length, MOST_BANDS + 1)
  const together = model.bands.find(({ band }) => band.heads.length === 40)
  assert.equal(together?.band.count, 40)
  const size = { width: 1000, height: 600 }
  const options = { view: model.whole, size, upTo: null, alive: null, path: new Set<number>(), matches: null }
  assert.equal(sceneOf(model, { ...options, folded: true }).nodes, nodes.length)
})

test('by generation, x is the number of mutations since the root', () => {
  const model = lineageModel(FAMILY, 'family', 'lanes', new Set(), { axis: 'generation' })
  assert.deepEqual(
    [0, 1, 4, 3, 6].map((number) => model.byNumber.get(number)!.x),
    [0, 1, 2, 2, 1],
  )
  const xs = model.marks.map(({ x }) => x)
  assert.deepEqual(
    xs,
    xs.toSorted((a, b) => a - b),
  )
})

test('how the lineage is drawn survives its address', () => {
  const drawing: LineageDrawing = {
    layout: 'score',
    axis: 'generation',
    others: 'hidden',
    extinct: 'all',
    view: { x0: -1.5, x1: 20, y0: -80.25, y1: -10 },
  }
  const route: Route = { view: 'lineage', search: 's', layer: 7, drawing }
  assert.deepEqual(parseRoute(href(route)), route)
  assert.equal(href({ view: 'lineage', search: 's', layer: null }), '#/search/s/lineage')
  const broken = parseRoute('#/search/s/lineage?zoom=3,1,nope&layout=odd&axis=generation')
  assert.deepEqual('drawing' in broken && [broken.drawing?.view, broken.drawing?.layout], [null, 'family'])
})
