import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aliveNumbers,
  entries,
  entry,
  judge,
  nextNumber,
  requeue,
  setAlive,
  settle,
  settleRerank,
  startCandidate,
} from '../../main/store/candidates.ts'
import { candidateDetail, lineage, oneNode } from '../../main/store/reading.ts'
import { addMade, getSearch, keyOf, setSeconds, updateSearch } from '../../main/store/searches.ts'
import { requeued } from '../../main/store/summary.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Rejection } from '../../shared/records.ts'
import { add, addSearch, addSettled, FAILED, rejected, scored, storeOf, UNSTABLE } from './fixture.ts'

const STATIC: Rejection = {
  stage: 'static',
  reason: 'constant over space',
  measured: null,
  limit: null,
  architecture: null,
  step: null,
}

test('a search begins with its baselines, to be trained', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const rows = entries(db, key)
  assert.deepEqual(
    rows.map(({ number, role, origin, verdict, status }) => ({ number, role, origin, verdict, status })),
    ['BN-ReLU', 'EvoNorm-S0'].map((name, number) => ({
      number,
      role: 'baseline',
      origin: { kind: 'known', name },
      verdict: { kind: 'train' },
      status: 'queued',
    })),
  )
  assert.equal(nextNumber(db, key), 2)
})

test('a scored candidate keeps its scores, their mean and its trainings', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  add(db, key, 2, 'x * sigmoid(x)', { origin: { kind: 'mutation', parent: 0, node: 3 } })
  startCandidate(db, key, 2)
  assert.equal(oneNode(db, key, 2)!.status, 'running')
  settle(db, key, 2, scored([0.5, 0.7, 0.9]), 12)
  const { candidate, parent, evaluations, children } = candidateDetail(db, key, 2)!
  assert.equal(candidate.status, 'scored')
  assert.deepEqual(candidate.graph, parseFormula('x * sigmoid(x)', true))
  assert.deepEqual(candidate.scores, [0.5, 0.7, 0.9])
  assert.equal(candidate.seconds, 6)
  assert.equal(parent!.number, 0)
  assert.deepEqual(evaluations, scored([0.5, 0.7, 0.9]).result.evaluations)
  assert.deepEqual(children, [])
  assert.deepEqual(candidateDetail(db, key, 0)!.children, [2])
  const node = oneNode(db, key, 2)!
  assert.ok(Math.abs(node.average! - 0.7) < 1e-12)
  assert.deepEqual([node.parent, node.origin, node.rejected, node.alive], [0, 'mutation', null, false])
  assert.equal(candidateDetail(db, key, 99), null)
})

test('a rejection keeps what was measured, a failure its cause and trace', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  addSettled(db, key, 2, 'exp(x)', rejected())
  addSettled(db, key, 3, 'tanh(x)', FAILED)
  add(db, key, 4, 'mean_hw(x)', { verdict: { kind: 'static', rejection: STATIC }, atSeconds: 5 })
  const [unstable, failed, fixed] = [2, 3, 4].map((number) => candidateDetail(db, key, number)!)
  assert.deepEqual([unstable!.candidate.status, unstable!.candidate.rejection], ['rejected', UNSTABLE])
  assert.equal(unstable!.evaluations.length, 1)
  assert.deepEqual([failed!.candidate.status, failed!.candidate.failure], ['failed', FAILED.failure])
  assert.deepEqual([fixed!.candidate.status, fixed!.candidate.rejection], ['rejected', STATIC])
  for (const { candidate } of [unstable!, failed!, fixed!]) assert.equal(candidate.scores, null)
  assert.deepEqual(
    lineage(db, key).map(({ rejected }) => rejected),
    [null, null, 'stability', null, 'static'],
  )
})

test('settling twice is an error and changes nothing', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  addSettled(db, key, 2, 'x * sigmoid(x)', scored([0.5]))
  const before = candidateDetail(db, key, 2)
  assert.throws(() => settle(db, key, 2, scored([0.9]), 3), /candidate 2 is settled already/)
  assert.throws(() => settle(db, key, 99, scored([0.9]), 3), /candidate 99 is settled already/)
  assert.deepEqual(candidateDetail(db, key, 2), before)
})

test("a duplicate takes its original's scores, whether they are there yet or not", (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  add(db, key, 2, 'x * sigmoid(x)')
  add(db, key, 3, 'sigmoid(x) * x', { verdict: { kind: 'duplicate', of: 2 }, atSeconds: 1 })
  assert.deepEqual([oneNode(db, key, 3)!.status, oneNode(db, key, 3)!.scores], ['duplicate', null])
  settle(db, key, 2, scored([0.4, 0.6]), 2)
  add(db, key, 4, 'sigmoid(x) * x', { verdict: { kind: 'duplicate', of: 2 }, atSeconds: 3 })
  for (const number of [3, 4]) {
    const node = oneNode(db, key, number)!
    assert.deepEqual(
      [node.status, node.duplicateOf, node.scores, node.average],
      ['duplicate', 2, [0.4, 0.6], 0.5],
    )
    assert.deepEqual(candidateDetail(db, key, number)!.evaluations, candidateDetail(db, key, 2)!.evaluations)
  }

  add(db, key, 5, 'tanh(x)')
  add(db, key, 6, 'tanh(x)', { verdict: { kind: 'duplicate', of: 5 } })
  settle(db, key, 5, rejected(), 4)
  assert.deepEqual([oneNode(db, key, 6)!.status, oneNode(db, key, 6)!.scores], ['duplicate', null])
})

test('the longer training ends once, whatever came of it', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  for (const number of [2, 3, 4]) addSettled(db, key, number, 'x * sigmoid(x)', scored([0.5, 0.5]))
  settleRerank(db, key, 2, scored([0.8, 0.9], 'rerank'))
  settleRerank(db, key, 3, FAILED)
  settleRerank(db, key, 4, rejected({ ...UNSTABLE, stage: 'quality', reason: 'the loss was not finite' }))
  assert.deepEqual(
    entries(db, key).map(({ reranked }) => reranked),
    [false, false, true, true, true],
  )
  const [good, failed, diverged] = [2, 3, 4].map((number) => candidateDetail(db, key, number)!.candidate)
  assert.deepEqual(good!.rerankScores, [0.8, 0.9])
  assert.deepEqual(failed!.failure, FAILED.failure)
  assert.equal(diverged!.failure!.cause, 're-ranking: the loss was not finite (resnet, step 7)')
  for (const candidate of [good!, failed!, diverged!])
    assert.deepEqual([candidate.status, candidate.scores], ['scored', [0.5, 0.5]])
  assert.deepEqual(
    candidateDetail(db, key, 2)!.evaluations.map(({ purpose }) => purpose),
    ['score', 'score', 'rerank', 'rerank'],
  )
  for (const number of [2, 3, 4])
    assert.throws(() => settleRerank(db, key, number, FAILED), /is re-ranked already/)
})

test('an inserted layer waits without a verdict until the search comes to it', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  add(db, key, 2, 'x * tanh(x)', { origin: { kind: 'imported', note: 'by hand' }, verdict: null })
  assert.equal(entry(db, key, 2)!.verdict, null)
  assert.equal(nextNumber(db, key), 3)
  judge(db, key, 2, { kind: 'train' }, 1)
  assert.deepEqual(entry(db, key, 2)!.verdict, { kind: 'train' })
  assert.deepEqual(entry(db, key, 2)!.origin, { kind: 'imported', note: 'by hand' })
  assert.equal(entry(db, key, 2)!.status, 'queued')
})

test('every verdict is read back as it was given', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const verdicts = [
    { kind: 'train' },
    { kind: 'duplicate', of: 0 },
    { kind: 'static', rejection: STATIC },
    null,
  ] as const
  for (const [i, verdict] of verdicts.entries()) add(db, key, 2 + i, 'x', { verdict })
  assert.deepEqual(
    entries(db, key, 2).map(({ verdict }) => verdict),
    verdicts,
  )
  assert.deepEqual(
    entries(db, key, 1, 2).map(({ number }) => number),
    [1, 2],
  )
})

test('what was running goes back into the queue, and only that', (t) => {
  const db = storeOf(t)
  const { id, key } = addSearch(db)
  addSettled(db, key, 2, 'x', scored([0.5]))
  add(db, key, 3, 'tanh(x)')
  for (const number of [0, 1, 2, 3]) startCandidate(db, key, number)
  settle(db, key, 1, scored([0.5]), 1)
  assert.equal(requeue(db, key), 2)
  assert.deepEqual(
    lineage(db, key).map(({ status }) => status),
    ['queued', 'scored', 'scored', 'queued'],
  )
  assert.equal(requeue(db, key), 0)
  updateSearch(db, key, { requeued: 2 })
  assert.equal(requeued(db, keyOf(db, id)), 2)
})

test('the population is marked', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  for (const number of [2, 3, 4]) addSettled(db, key, number, 'x', scored([0.5]))
  setAlive(db, key, { entered: [2, 3], left: [] })
  setAlive(db, key, { entered: [4], left: [2] })
  assert.deepEqual(aliveNumbers(db, key), [3, 4])
})

test('a search keeps its state, its running time and the versions it was made with', (t) => {
  const db = storeOf(t)
  const { id, key } = addSearch(db)
  updateSearch(db, key, { state: 'failed', stage: 'search', failure: 'no data' })
  setSeconds(db, key, 12.5)
  addMade(db, key, { version: '2', TensorFlow: '2.21' })
  const search = getSearch(db, id)!
  assert.deepEqual(
    [search.state, search.stage, search.failure, search.seconds],
    ['failed', 'search', 'no data', 12.5],
  )
  assert.deepEqual(search.made, { version: '1', TensorFlow: '2.21' })
  updateSearch(db, key, { failure: null })
  assert.equal(getSearch(db, id)!.failure, null)
  assert.equal(getSearch(db, 'none'), null)
  assert.throws(() => keyOf(db, 'none'), /needs the id of a search, got "none"/)
})
