import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast } from '../../main/search/forecast.ts'
import type { Pace } from '../../main/store/summary.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { EvolutionConfig, Search } from '../../shared/records.ts'

const search = (evolution: Partial<EvolutionConfig>, change: Partial<Search> = {}): Search => {
  const { config } = PRESETS.demo
  return {
    id: 'a',
    name: 'a',
    createdAt: '2026-01-01T00:00:00.000Z',
    config: {
      ...config,
      training: { ...config.training, steps: 200 },
      evolution: { ...config.evolution, rerank: { count: 4, steps: 400 }, ...evolution },
    },
    state: 'running',
    stage: 'search',
    failure: null,
    seconds: 100,
    made: {},
    ...change,
  }
}
const pace = (change: Partial<Pace> = {}): Pace => ({
  settled: 10,
  dispatched: 12,
  recent: [100, 90, 80, 70, 60],
  training: 5,
  baselinesLeft: 0,
  baselinesTrained: 0,
  reranked: 0,
  ...change,
})

test('a time limit leaves its rest and the re-ranking', () => {
  // 300 − 100 seconds of search; (4 layers + 1 baseline) / 2 workers · 5 s · 400/200 steps = 25 s, ± a quarter.
  const { progress, eta } = forecast(search({ maxSeconds: 300, maxTrained: 0 }), pace(), 2)
  assert.deepEqual(eta, { low: 218.75, high: 231.25 })
  assert.equal(progress, 100 / 325)
})

test('a limit of candidates leaves them at the recent pace', () => {
  // 20 left at 10 s each: an even pace has no spread.
  const { eta } = forecast(
    search({ maxSeconds: 0, maxTrained: 30, rerank: { count: 0, steps: 0 } }),
    pace(),
    2,
  )
  assert.deepEqual(eta, { low: 200, high: 200 })
})

test('of two limits the earlier one counts', () => {
  const none = { count: 0, steps: 0 }
  const { eta } = forecast(search({ maxSeconds: 150, maxTrained: 30, rerank: none }), pace(), 2)
  assert.deepEqual(eta, { low: 50, high: 50 })
})

test('the time limit counts from the end of the baselines', () => {
  const limits = { maxSeconds: 150, maxTrained: 0, rerank: { count: 0, steps: 0 } }
  const after = forecast(search(limits), pace({ baselinesTrained: 60 }), 2)
  assert.deepEqual(after.eta, { low: 110, high: 110 })
  // Two baselines of 5 s on two workers come first, a quarter off either way.
  const before = forecast(search(limits), pace({ baselinesTrained: null, baselinesLeft: 2 }), 2)
  assert.deepEqual(before.eta, { low: 153.75, high: 156.25 })
})

test('an uneven pace widens the range', () => {
  // Gaps 4, 16: mean 10, standard error 6/√2, twice that for each of 20 candidates.
  const limits = { maxSeconds: 0, maxTrained: 30, rerank: { count: 0, steps: 0 } }
  const { eta } = forecast(search(limits), pace({ recent: [100, 96, 80] }), 2)
  const spread = 20 * 2 * Math.sqrt(36 / 2)
  assert.ok(Math.abs(eta!.high - (200 + spread)) < 1e-9)
  assert.ok(Math.abs(eta!.low - (200 - spread)) < 1e-9)
})

test('the re-ranking stage forgets the time limit', () => {
  const { eta } = forecast(search({ maxSeconds: 300 }, { stage: 'rerank' }), pace({ reranked: 2 }), 1)
  assert.deepEqual(eta, { low: 22.5, high: 37.5 })
})

test('nothing is foretold before five candidates are trained, nor without any limit', () => {
  const early = forecast(search({ maxSeconds: 300 }), pace({ settled: 4 }), 2)
  assert.equal(early.eta, null)
  assert.ok(early.progress! > 0)
  const endless = forecast(search({ maxSeconds: 0, maxTrained: 0 }), pace(), 2)
  assert.deepEqual(endless, { progress: null, eta: null })
})

test('a finished search is whole', () => {
  assert.deepEqual(forecast(search({}, { stage: 'finished' }), pace(), 2), { progress: 1, eta: null })
})
