import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../main/store/database.ts'
import { eventsSince, newestSeq } from '../../main/store/events.ts'
import {
  addPromotion,
  cancelPromotion,
  findPromotion,
  getPromotion,
  listPromotions,
  removePromotion,
  requeuePromotion,
  setPromotion,
} from '../../main/store/promotions.ts'
import {
  advanceRun,
  curveOf,
  failRun,
  finishRun,
  getRun,
  paces,
  requeueRuns,
  runsInLine,
  runsOf,
  startRun,
} from '../../main/store/runs.ts'
import { knownLayer } from '../../shared/known.ts'
import { protocolOf, transferPreset, type TransferPoint } from '../../shared/transfer.ts'
import { storeOf } from './fixture.ts'

const config = transferPreset('segmentation', 'demo')
const { graph } = knownLayer('EvoNorm-B0')
const protocol = protocolOf(config)

/** A promotion that asks for runs by these keys. */
const promote = (db: Database, fingerprint: string, ...keys: string[]): string => {
  const layer = { graph, fingerprint, label: fingerprint, from: { kind: 'imported' } as const }
  const runs = keys.map((key) => ({ key, protocol, fingerprint: key, seed: 1, steps: 100, graph }))
  return addPromotion(db, { layer, config, made: {}, runs }).id
}
const point = (step: number, loss: number): TransferPoint => ({ step, losses: { loss }, measures: null })
const result = (curve: readonly TransferPoint[]) => ({
  outcome: 'finished' as const,
  step: 100,
  reason: null,
  measures: { maskAp: 0.5 },
  curve,
  parameters: 1,
  seconds: 50,
})
const states = (db: Database, ...ids: string[]) => ids.map((id) => getPromotion(db, id)!.state)
const failure = { cause: 'crashed', trace: '', attempts: 2 }

test('runs are in line by promotion, then by position, each once', (t) => {
  const db = storeOf(t)
  const a = promote(db, 'a', 'a1', 'base1', 'a2', 'base2')
  const b = promote(db, 'b', 'b1', 'base1')
  const line = () => runsInLine(db).map(({ key, promotion }) => `${key} ${promotion === a ? 'a' : 'b'}`)
  assert.deepEqual(line(), ['a1 a', 'base1 a', 'a2 a', 'base2 a', 'b1 b'])
  setPromotion(db, a, 'paused')
  assert.deepEqual(line(), ['b1 b', 'base1 b'])
  requeuePromotion(db, a)
  finishRun(db, 'base1', result([]))
  assert.deepEqual(line(), ['a1 a', 'a2 a', 'base2 a', 'b1 b'])
  assert.deepEqual(
    listPromotions(db).map(({ id }) => id),
    [a, b],
  )
})

test('what a run comes to is what its promotions come to', (t) => {
  const db = storeOf(t)
  const [a, b] = [promote(db, 'a', 'a1', 'base'), promote(db, 'b', 'b1', 'base')]
  assert.deepEqual(states(db, a, b), ['queued', 'queued'])
  startRun(db, 'base')
  assert.deepEqual(states(db, a, b), ['running', 'running'])
  finishRun(db, 'base', result([]))
  startRun(db, 'a1')
  finishRun(db, 'a1', result([]))
  startRun(db, 'b1')
  failRun(db, 'b1', failure)
  assert.deepEqual(states(db, a, b), ['done', 'failed'])
  assert.equal(getPromotion(db, b)!.failure, '1 of 2 runs failed: crashed')
  // Everything it asks for is there.
  assert.deepEqual(states(db, promote(db, 'c', 'a1', 'base')), ['done'])
  // Another one asks for the run that failed: tried again, it mends both.
  const d = promote(db, 'd', 'b1')
  startRun(db, 'b1')
  finishRun(db, 'b1', result([]))
  assert.deepEqual(states(db, b, d), ['done', 'done'])
  assert.equal(getPromotion(db, b)!.failure, null)
})

test('points are kept once each, and those of the result in the end', (t) => {
  const db = storeOf(t)
  promote(db, 'a', 'a1')
  startRun(db, 'a1')
  advanceRun(db, 'a1', { step: 10, point: point(10, 1), seconds: 5 })
  advanceRun(db, 'a1', { step: 20, point: point(20, 0.5), seconds: 10 })
  requeueRuns(db)
  assert.equal(getRun(db, 'a1')!.state, 'queued')
  startRun(db, 'a1')
  advanceRun(db, 'a1', { step: 20, point: point(20, 0.5), seconds: 16 })
  assert.deepEqual(curveOf(db, 'a1'), [point(10, 1), point(20, 0.5)])
  assert.deepEqual(paces(db), new Map([[protocol, 0.8]]))
  const curve = [point(50, 0.4), point(100, 0.3)]
  finishRun(db, 'a1', result(curve))
  const run = getRun(db, 'a1')!
  assert.deepEqual([run.step, run.seconds, run.result!.measures], [100, 50, { maskAp: 0.5 }])
  assert.equal('curve' in run.result!, false)
  assert.deepEqual(curveOf(db, 'a1'), curve)
  advanceRun(db, 'a1', { step: 30, point: point(30, 0.9), seconds: 20 })
  assert.deepEqual([getRun(db, 'a1'), curveOf(db, 'a1')], [run, curve], 'a late report changes nothing')
})

test('a cancelled promotion gives back what is unfinished and nobody else asks for', (t) => {
  const db = storeOf(t)
  const a = promote(db, 'a', 'done', 'mine', 'shared')
  const b = promote(db, 'b', 'shared')
  for (const key of ['done', 'mine', 'shared']) {
    startRun(db, key)
    advanceRun(db, key, { step: 10, point: point(10, 1), seconds: 5 })
  }
  finishRun(db, 'done', result([point(100, 1)]))
  assert.deepEqual(cancelPromotion(db, a), ['mine'])
  assert.deepEqual(states(db, a, b), ['cancelled', 'running'])
  assert.deepEqual(
    runsOf(db, a).map(({ state, step }) => [state, step]),
    [
      ['done', 100],
      ['queued', 0],
      ['running', 10],
    ],
  )
  assert.deepEqual(curveOf(db, 'mine'), [])
  assert.equal(findPromotion(db, 'a', config), null)
  assert.equal(findPromotion(db, 'b', config)!.id, b)
})

test('a promotion that is taken out takes along all that nobody else asks for', (t) => {
  const db = storeOf(t)
  const a = promote(db, 'a', 'done', 'mine', 'shared')
  promote(db, 'b', 'shared')
  startRun(db, 'done')
  finishRun(db, 'done', result([point(100, 1)]))
  assert.deepEqual(removePromotion(db, a).sort(), ['done', 'mine'])
  assert.equal(getPromotion(db, a), null)
  assert.deepEqual(
    ['done', 'mine', 'shared'].map((key) => getRun(db, key)?.state),
    [undefined, undefined, 'queued'],
  )
  assert.deepEqual(curveOf(db, 'done'), [])
})

test('every change of a promotion or of a run it asks for is an event', (t) => {
  const db = storeOf(t)
  const [a, b] = [promote(db, 'a', 'a1', 'base'), promote(db, 'b', 'base')]
  let since = newestSeq(db)
  const told = (): string[] => {
    const { events, next } = eventsSince(db, since, 100)
    since = next
    return events.map((event) => (event.kind === 'transfer' ? event.promotion : event.kind)).sort()
  }
  const both = [a, b].sort()
  startRun(db, 'base')
  assert.deepEqual(told(), both)
  advanceRun(db, 'base', { step: 1, point: null, seconds: 1 })
  finishRun(db, 'base', result([]))
  assert.deepEqual(told(), both, 'several about one promotion are told as one')
  setPromotion(db, a, 'paused')
  assert.deepEqual(told(), [a])
  removePromotion(db, b)
  assert.deepEqual(told(), [b])
})
