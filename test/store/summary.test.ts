import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle, settleRerank, startCandidate } from '../../main/store/candidates.ts'
import { baselines, best, funnel, pace, rival, trend } from '../../main/store/summary.ts'
import type { Rejection } from '../../shared/records.ts'
import { add, addSearch, addSettled, CONFIG, FAILED, rejected, scored, storeOf, UNSTABLE } from './fixture.ts'

const STATIC: Rejection = { ...UNSTABLE, stage: 'static' }

test('a search that has only begun', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const none = {
    duplicate: 0,
    sameFunction: 0,
    static: 0,
    quality: 0,
    stability: 0,
    failed: 0,
    scored: 0,
    pending: 0,
  }
  assert.deepEqual(funnel(db, key), { generated: 0, ...none })
  assert.equal(best(db, key), null)
  assert.deepEqual(trend(db, key), [])
  assert.deepEqual(pace(db, key), {
    settled: 0,
    dispatched: 0,
    recent: [],
    training: null,
    baselinesLeft: 2,
    baselinesTrained: null,
    reranked: 0,
  })
})

test('the funnel counts every candidate once and no baseline', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  settle(db, key, 0, scored([0.9]), 1)
  addSettled(db, key, 2, 'x', scored([0.5]))
  addSettled(db, key, 3, 'x', scored([0.5]))
  addSettled(db, key, 4, 'x', rejected())
  addSettled(db, key, 5, 'x', rejected({ ...UNSTABLE, stage: 'quality' }))
  addSettled(db, key, 6, 'x', FAILED)
  for (const number of [7, 8, 9])
    add(db, key, number, 'x', { verdict: { kind: 'static', rejection: STATIC } })
  add(db, key, 10, 'x', { verdict: { kind: 'duplicate', of: 2 } })
  add(db, key, 11, 'x')
  startCandidate(db, key, 11)
  add(db, key, 12, 'x', { verdict: null })
  assert.deepEqual(funnel(db, key), {
    generated: 11,
    duplicate: 1,
    sameFunction: 0,
    static: 3,
    quality: 1,
    stability: 1,
    failed: 1,
    scored: 2,
    pending: 2,
  })
})

test('the best so far rises in order of number, whenever the results came', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  settle(db, key, 0, scored([0.95]), 1)
  addSettled(db, key, 2, 'x', scored([0.5]), 30)
  addSettled(db, key, 3, 'x', scored([0.25, 0.75]), 10)
  addSettled(db, key, 4, 'x', rejected(), 11)
  addSettled(db, key, 5, 'x', scored([0.75]), 20)
  add(db, key, 6, 'x', { verdict: { kind: 'duplicate', of: 5 }, atSeconds: 21 })
  addSettled(db, key, 7, 'x', scored([0.625]), 40)
  addSettled(db, key, 8, 'x', scored([0.875]), 50)
  assert.deepEqual(trend(db, key), [
    { number: 2, seconds: 30, average: 0.5 },
    { number: 5, seconds: 20, average: 0.75 },
    { number: 8, seconds: 50, average: 0.875 },
  ])
  assert.deepEqual(best(db, key), { number: 8, average: 0.875, purpose: 'score' })
})

test('of equal best ones it is the first', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  addSettled(db, key, 2, 'x', scored([0.75]))
  addSettled(db, key, 3, 'x', scored([0.75]))
  add(db, key, 4, 'x', { verdict: { kind: 'duplicate', of: 2 } })
  assert.equal(best(db, key)!.number, 2)
})

test('a known layer is never the best found one, and the longest training decides', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  add(db, key, 2, 'x', { verdict: { kind: 'train', known: 'EvoNorm-B2' } })
  settle(db, key, 2, scored([0.9]), 1)
  add(db, key, 3, 'x', { verdict: { kind: 'duplicate', of: 2, known: 'EvoNorm-B2' } })
  assert.equal(best(db, key), null)
  addSettled(db, key, 4, 'x', scored([0.75]))
  addSettled(db, key, 5, 'x', scored([0.625]))
  assert.deepEqual(best(db, key), { number: 4, average: 0.75, purpose: 'score' })
  assert.deepEqual(
    trend(db, key).map(({ number }) => number),
    [4],
  )
  for (const [number, score] of [
    [2, 0.99],
    [4, 0.75],
    [5, 0.875],
  ] as const)
    settleRerank(db, key, number, scored([score]))
  assert.deepEqual(best(db, key), { number: 5, average: 0.875, purpose: 'rerank' })
  settle(db, key, 0, scored([0.5]), 1)
  assert.deepEqual(rival(db, key, 'score'), { number: 2, name: 'EvoNorm-B2', average: 0.9 })
  settleRerank(db, key, 0, scored([0.995]))
  assert.deepEqual(rival(db, key, 'rerank'), { number: 0, name: 'BN-ReLU', average: 0.995 })
})

test('baselines with their scores, as far as they are there', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  settle(db, key, 1, scored([0.5, 0.75]), 1)
  assert.deepEqual(baselines(db, key), [
    { name: 'BN-ReLU', number: 0, scores: null },
    { name: 'EvoNorm-S0', number: 1, scores: [0.5, 0.75] },
  ])
})

test('the pace is that of trained candidates alone', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  settle(db, key, 0, scored([0.5]), 5)
  addSettled(db, key, 2, 'x', scored([0.5, 0.5, 0.5]), 20)
  addSettled(db, key, 3, 'x', rejected(), 12)
  addSettled(db, key, 4, 'x', FAILED, 31)
  add(db, key, 5, 'x', { verdict: { kind: 'static', rejection: STATIC }, atSeconds: 32 })
  add(db, key, 6, 'x', { verdict: { kind: 'duplicate', of: 2 }, atSeconds: 33 })
  add(db, key, 7, 'x')
  add(db, key, 8, 'x', { verdict: null })
  settleRerank(db, key, 2, FAILED)
  assert.deepEqual(pace(db, key), {
    settled: 3,
    dispatched: 4,
    recent: [31, 20, 12],
    // Two whole trainings: the baseline's 2 s and 6 s of candidate 2.
    training: 4,
    baselinesLeft: 1,
    baselinesTrained: null,
    reranked: 1,
  })
  settle(db, key, 1, scored([0.5]), 40)
  assert.equal(pace(db, key).baselinesTrained, 40)
})

test('a search without baselines has trained them all from the start', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db, { ...CONFIG, baselines: [] })
  assert.equal(pace(db, key).baselinesTrained, 0)
})
