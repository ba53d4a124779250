import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Population, tournament, type Member } from '../../main/search/population.ts'
import { rerankTargets } from '../../main/search/rerank.ts'
import type { LineageNode } from '../../shared/contract.ts'
import { mean } from '../../shared/pareto.ts'
import { createRandom } from '../../shared/random.ts'

const graph = { version: 1, nodes: [{ op: 'tanh', inputs: [0] }], affine: true } as const
const member = (number: number, scores: number[], its = `layer ${number}`, start = its): Member => ({
  number,
  graph,
  identity: { formula: its, function: its, start },
  scores,
})

/** How often each number wins. */
const winners = (members: Member[], config: Parameters<typeof tournament>[1], draws = 2000) => {
  const wins = new Map<number, number>()
  for (let i = 0; i < draws; i++) {
    const { number } = tournament(members, config, createRandom('draw', i))
    wins.set(number, (wins.get(number) ?? 0) + 1)
  }
  return wins
}

// 0 and 1 are the front; 2 is beaten by 0 in both; 3 has the best average without being alone on the front.
const members = [member(0, [0.9, 0.2]), member(1, [0.1, 0.8]), member(2, [0.8, 0.1]), member(3, [0.7, 0.7])]

test('Pareto tournaments are won by every member of the front alike, and by nobody else', () => {
  const wins = winners(members, { tournament: 1, winner: 'pareto' })
  assert.deepEqual([...wins.keys()].sort(), [0, 1, 3])
  for (const count of wins.values()) assert.ok(Math.abs(count - 2000 / 3) < 100, `${count} of 2000`)
})

test('average tournaments are won by the best average of the subset', () => {
  assert.deepEqual([...winners(members, { tournament: 1, winner: 'average' }).keys()], [3])
  // Half of four: of the six pairs, 3 wins the three it is in; 0 (0.55) beats 1 and 2 (0.45); of those, the older.
  const wins = winners(members, { tournament: 0.5, winner: 'average' })
  for (const [number, pairs] of [
    [3, 3],
    [0, 2],
    [1, 1],
  ] as const)
    assert.ok(Math.abs(wins.get(number)! - (2000 * pairs) / 6) < 100, `#${number}: ${wins.get(number)}`)
  assert.equal(wins.get(2), undefined)
})

test('a tournament of a fraction draws that many, two at least', () => {
  const many = Array.from({ length: 100 }, (_, i) => member(i, [i / 100]))
  const wins = winners(many, { tournament: 0.05, winner: 'average' })
  // The best of five of a hundred: 5/6 of the way up.
  const expected = [...wins].reduce((sum, [number, count]) => sum + number * count, 0) / 2000
  assert.ok(Math.abs(expected - 83.2) < 1.5, `mean of winners ${expected}`)
  assert.ok(!winners(many, { tournament: 0, winner: 'average' }).has(0))
  assert.throws(
    () => tournament([], { tournament: 1, winner: 'pareto' }, createRandom(1)),
    /at least one member/,
  )
})

test('the window slides: who has been in it longest leaves', () => {
  const population = new Population({ population: 3 })
  const left = [0, 1, 2, 3, 4].map((i) => population.enter(member(i, [0.5])).left?.number ?? null)
  assert.deepEqual(left, [null, null, null, 0, 1])
  assert.deepEqual(
    population.members.map(({ number }) => number),
    [2, 3, 4],
  )
})

test('a clone does not enter beside its original, but may when that has aged out', () => {
  const population = new Population({ population: 2 })
  population.enter(member(0, [0.9], 'a'))
  assert.deepEqual(population.enter(member(1, [0.9], 'a')), { entered: false, left: null })
  population.enter(member(2, [0.5], 'b'))
  population.enter(member(3, [0.5], 'c'))
  assert.equal(population.enter(member(4, [0.9], 'a')).entered, true)
})

test('of layers that start alike at most so many are alive: one more makes the oldest of them leave', () => {
  const population = new Population({ population: 4, mostAlike: 2 })
  const enter = (number: number, start: string): number | null =>
    population.enter(member(number, [0.5], `layer ${number}`, start)).left?.number ?? null
  assert.deepEqual([enter(0, 'other'), enter(1, 'a'), enter(2, 'a'), enter(3, 'a')], [null, null, null, 1])
  assert.deepEqual([enter(4, 'b'), enter(5, 'c')], [null, 0])
  assert.deepEqual(
    population.members.map(({ number }) => number),
    [2, 3, 4, 5],
  )
})

const node = (number: number, change: Partial<LineageNode>): LineageNode => ({
  number,
  role: 'candidate',
  parent: null,
  origin: 'random',
  status: 'scored',
  rejected: null,
  duplicateOf: null,
  average: change.scores ? mean(change.scores) : null,
  scores: null,
  family: null,
  known: null,
  fingerprint: `layer ${number}`,
  alive: false,
  ...change,
})

test('re-ranking takes distinct layers by average, the older of equals, and the best baseline', () => {
  const nodes = [
    node(0, { role: 'baseline', scores: [0.6, 0.6] }),
    node(1, { role: 'baseline', scores: [0.7, 0.7] }),
    node(2, { scores: [0.5, 0.9] }),
    node(3, { scores: [0.9, 0.5], duplicateOf: null }),
    node(4, { scores: [0.5, 0.9], duplicateOf: 2, status: 'duplicate' }),
    node(5, { status: 'rejected', rejected: 'quality' }),
    node(6, { scores: [0.8, 0.8] }),
    node(7, { scores: [0.65, 0.65] }),
  ]
  assert.deepEqual(rerankTargets(nodes, 3), [6, 2, 3, 1])
  assert.deepEqual(rerankTargets(nodes, 1), [6, 1])
  const given = [...nodes, node(8, { scores: [0.95, 0.95], known: 'EvoNorm-B2', origin: 'EvoNorm-B2' })]
  assert.deepEqual(rerankTargets(given, 1), [6, 8], 'a known layer that was put in is no found one')
  assert.deepEqual(rerankTargets(nodes, 0), [])
  assert.deepEqual(rerankTargets(nodes.slice(0, 2), 3), [])
})

test('a candidate equal to a baseline stands for that baseline, which is re-ranked once, and is none of the found', () => {
  const nodes = [
    node(0, { role: 'baseline', scores: [0.9] }),
    node(1, { scores: [0.9], duplicateOf: 0, status: 'duplicate' }),
    node(2, { scores: [0.4] }),
  ]
  assert.deepEqual(rerankTargets(nodes, 1), [2, 0])
  assert.deepEqual(rerankTargets(nodes.slice(0, 2), 2), [])
})
