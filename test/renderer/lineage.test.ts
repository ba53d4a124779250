import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineageModel } from '../../renderer/draw/lineage.ts'
import { pick, placeOf, stepFrom } from '../../renderer/draw/pick.ts'
import { inPlot, sceneOf, type SceneOptions } from '../../renderer/draw/scene.ts'
import { baseline, candidate, rejected } from './nodes.ts'

/** Two baselines; a known root 2 with children 3 and 5, and 3 with child 6; 4, 7 and 8 come to nothing. */
const FAMILY = [
  baseline(0, 'BN-ReLU', 0.6),
  baseline(1, 'GN-ReLU', 0.5),
  candidate(2, null, { origin: 'EvoNorm-B0', average: 0.6 }),
  candidate(3, 2, { average: 0.5, alive: true }),
  rejected(4, 2, 'static'),
  candidate(5, 2, { average: 0.7, alive: true }),
  candidate(6, 3, { average: 0.8, alive: true }),
  rejected(7, 3, 'quality'),
  candidate(8, 5, { status: 'failed', average: null, scores: null }),
]
const SIZE = { width: 1000, height: 600 }
const model = lineageModel(FAMILY, 'family', 'lanes')
const options: SceneOptions = {
  view: model.whole,
  size: SIZE,
  upTo: null,
  alive: null,
  path: new Set(),
  matches: null,
}
const scene = sceneOf(model, options)
const to = inPlot(model.whole, scene.plot)

test('scored layers are in the tree, the others in lanes of their kind, baselines apart', () => {
  assert.deepEqual(
    model.marks.map((mark) => mark.node.number),
    [2, 3, 5, 6],
  )
  assert.deepEqual(
    model.lanes.map((lane) => [lane.kind, lane.nodes.map((node) => node.number)]),
    [
      ['baseline', [0, 1]],
      ['static', [4]],
      ['quality', [7]],
      ['failed', [8]],
    ],
  )
})

test('every link leads from a parent to its child', () => {
  assert.deepEqual(
    model.links.map(({ from, to: child }) => [from.node.number, child.node.number]),
    [
      [2, 3],
      [2, 5],
      [3, 6],
    ],
  )
})

test('as leaves, what came to nothing hangs at its parent', () => {
  const leaves = lineageModel(FAMILY, 'family', 'leaves')
  assert.deepEqual(
    leaves.marks.map((mark) => mark.node.number),
    [2, 3, 4, 5, 6, 7, 8],
  )
  assert.deepEqual(
    leaves.lanes.map((lane) => lane.kind),
    ['baseline'],
  )
})

test('hidden, they are nowhere', () => {
  assert.deepEqual(lineageModel(FAMILY, 'family', 'hidden').lanes, [])
})

test('a rejected layer with scored offspring stays in the tree, so that no branch begins in the air', () => {
  const { marks, links } = lineageModel(
    [candidate(0, null), rejected(1, 0, 'quality'), candidate(2, 1)],
    'family',
    'lanes',
  )
  assert.deepEqual(
    marks.map((mark) => mark.kind),
    ['scored', 'quality', 'scored'],
  )
  assert.equal(links.length, 2)
})

test('by score, height is the mean accuracy: better is higher up', () => {
  const byScore = lineageModel(FAMILY, 'score', 'lanes')
  const y = (number: number): number => byScore.byNumber.get(number)!.y
  assert.equal(y(6), -80)
  assert.equal(y(5), -70)
  assert.ok(y(6) < y(5) && y(5) < y(3))
})

test('colour runs along the ramp from the worst to the best score', () => {
  const t = (number: number): number => model.byNumber.get(number)!.t!
  assert.ok(t(3) < t(2) && t(2) < t(5) && t(5) < t(6))
  assert.ok(t(3) >= 0 && t(6) <= 1)
})

test('a scene of the whole window shows every candidate once', () => {
  const drawn = [...scene.marks, ...scene.lanes.flatMap((lane) => lane.marks)].map((mark) => mark.number)
  assert.deepEqual(
    drawn.sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  )
  assert.equal(scene.nodes, FAMILY.length)
  assert.deepEqual(
    scene.links.map((link) => link.number),
    [3, 5, 6],
  )
})

test('marks lie inside the plot, later ones further right, lanes below it and baselines above', () => {
  const { plot } = scene
  for (const mark of scene.marks) {
    assert.ok(mark.x >= plot.x && mark.x <= plot.x + plot.width, `mark ${mark.number} at ${mark.x}`)
    assert.ok(mark.y >= plot.y && mark.y <= plot.y + plot.height, `mark ${mark.number} at ${mark.y}`)
  }
  assert.deepEqual(
    scene.marks.map((mark) => mark.x),
    scene.marks.map((mark) => mark.x).sort((a, b) => a - b),
  )
  for (const lane of scene.lanes)
    if (lane.kind === 'baseline') assert.ok(lane.y < plot.y)
    else assert.ok(lane.y > plot.y + plot.height && lane.y < SIZE.height)
})

test('a replay shows what had come by then, with the population of that time', () => {
  const then = sceneOf(model, { ...options, upTo: 4, alive: new Set([2]) })
  assert.deepEqual(
    then.marks.map((mark) => [mark.number, mark.alive]),
    [
      [2, true],
      [3, false],
    ],
  )
  assert.equal(then.nodes, 5)
  assert.deepEqual(
    then.links.map((link) => link.number),
    [3],
  )
})

test('what the page searched for stands out, the path to the root is marked', () => {
  const sought = sceneOf(model, { ...options, matches: new Set([6]), path: new Set([6, 3, 2]) })
  assert.deepEqual(
    sought.marks.filter((mark) => !mark.faded).map((mark) => mark.number),
    [6],
  )
  assert.deepEqual(
    sought.links.map((link) => [link.number, link.role]),
    [
      [3, 'path'],
      [5, 'faded'],
      [6, 'path'],
    ],
  )
})

test('zoomed in, only what is in the window is drawn', () => {
  const [low, high] = [model.byNumber.get(6)!.y - 0.4, model.byNumber.get(6)!.y + 0.4]
  const near = sceneOf(model, { ...options, view: { x0: 5.5, x1: 6.5, y0: low, y1: high } })
  assert.deepEqual(
    near.marks.map((mark) => mark.number),
    [6],
  )
  assert.equal(near.nodes, FAMILY.length, 'what is drawn elsewhere still belongs to the drawing')
})

test('a crowded lane becomes bars that count everyone, and its candidates can still be found', () => {
  const many = [candidate(0, null), ...Array.from({ length: 2000 }, (_, i) => rejected(i + 1, 0, 'static'))]
  const crowded = lineageModel(many, 'family', 'lanes')
  const full = sceneOf(crowded, { ...options, view: crowded.whole })
  const lane = full.lanes[0]!
  assert.equal(lane.marks.length, 0)
  assert.equal(lane.count, 2000)
  assert.ok(lane.bars.length > 100)
  const inside = inPlot(crowded.whole, full.plot)
  const place = placeOf(full, crowded, inside, 777)!
  assert.equal(pick(full, crowded, inside, place, 14), 777)
})

test('the place of a mark leads back to its candidate, a place far from any to none', () => {
  for (const { number } of FAMILY) {
    const place = placeOf(scene, model, to, number)
    assert.ok(place, `candidate ${number} has a place`)
    assert.equal(pick(scene, model, to, place, 14), number)
  }
  assert.equal(pick(scene, model, to, { x: 990, y: scene.plot.y + 2 }, 14), null)
})

test('arrow keys go to the parent, the child and the siblings', () => {
  assert.equal(stepFrom(model, 6, 'parent'), 3)
  assert.equal(stepFrom(model, 3, 'child'), 6)
  assert.equal(stepFrom(model, 2, 'parent'), null)
  const [upper, lower] = [3, 5].sort((a, b) => model.byNumber.get(a)!.y - model.byNumber.get(b)!.y)
  assert.equal(stepFrom(model, upper!, 'next'), lower)
  assert.equal(stepFrom(model, lower!, 'previous'), upper)
  assert.equal(stepFrom(model, null, 'next'), 2, 'from nowhere to the first')
})

test('a collapsed branch counts what it hides', () => {
  const collapsed = lineageModel(FAMILY, 'family', 'lanes', new Set([2]))
  assert.deepEqual(
    collapsed.marks.map((mark) => [mark.node.number, mark.hidden]),
    [[2, 3]],
  )
})
