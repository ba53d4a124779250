import assert from 'node:assert/strict'
import { test } from 'node:test'
import { families } from '../../renderer/families.ts'
import { aliveAt } from '../../renderer/family.ts'
import { baseline, candidate } from './nodes.ts'

const NODES = [
  baseline(0, 'BN-ReLU', 0.9),
  candidate(1, null, { family: 'a', average: 0.4, alive: true }),
  candidate(2, 1, { family: 'a', average: 0.6, alive: false }),
  candidate(3, 1, { family: 'b', average: 0.5, alive: true }),
  candidate(4, 2, { duplicateOf: 2, status: 'duplicate', average: 0.6, alive: true }),
  candidate(5, 2, { family: 'c', average: 0.7, alive: false }),
  candidate(6, 2, { status: 'rejected', rejected: 'static', average: null, scores: null }),
]

test('families are those alive, largest first; a copy counts for the family of its original', () => {
  assert.deepEqual(families(NODES), [
    { name: 'a', trained: 2, alive: 2, best: { number: 2, average: 0.6 } },
    { name: 'b', trained: 1, alive: 1, best: { number: 3, average: 0.5 } },
  ])
  assert.deepEqual(families([]), [])
})

test('the replay keeps one of each function, and at most so many of a family', () => {
  const at = (mostAlike: number, population = 10): number[] => [
    ...aliveAt(NODES, { population, mostAlike }, 99),
  ]
  assert.deepEqual(at(0), [1, 2, 3, 5])
  assert.deepEqual(at(1), [2, 3, 5])
  assert.deepEqual(at(0, 2), [3, 5])
  assert.deepEqual([...aliveAt(NODES, { population: 10 }, 2)], [1, 2])
})
