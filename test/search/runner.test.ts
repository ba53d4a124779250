import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createRunner, type Runner } from '../../main/search/runner.ts'
import { acquireLease, createHolder, leaseHolder, releaseLease } from '../../main/store/leases.ts'
import { keyOf, getSearch } from '../../main/store/searches.ts'
import { requeued } from '../../main/store/summary.ts'
import { ContractError } from '../../shared/contract.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { fingerprint } from '../../shared/canonical.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { until } from '../main/stand-in-app.ts'
import {
  historyOf,
  openBench,
  quickPool,
  runToEnd,
  smallConfig,
  temporaryFolder,
  type Bench,
} from './harness.ts'

const undisturbed = async (t: TestContext, config: SearchConfig) => {
  const bench = openBench(t, { pool: quickPool(1) })
  return historyOf(bench.db, (await runToEnd(bench, config)).id)
}

/** Waits until the store has so many settled trainings of a search. */
const settled = async ({ db }: Bench, id: string, count: number): Promise<void> => {
  const key = keyOf(db, id)
  const sql =
    'SELECT count(*) AS n FROM candidates WHERE search = ? AND dispatched = 1 AND at_seconds IS NOT NULL'
  while (Number(db.get(sql, key)!['n']) < count) await new Promise((resolve) => setTimeout(resolve, 1))
}

const code = (expected: string, message: RegExp) => (error: unknown) =>
  error instanceof ContractError && error.code === expected && message.test(error.message)

test('a search that is paused and resumed again and again has the history of one left alone', async (t) => {
  const config = smallConfig()
  const pool = quickPool(3)
  const bench = openBench(t, { pool })
  const { id } = bench.runner.create({ name: 'test', config })
  for (const count of [2, 7, 15, 24]) {
    await settled(bench, id, count)
    await bench.runner.pause(id)
    assert.equal(getSearch(bench.db, id)!.state, 'paused')
    const states = historyOf(bench.db, id).map(({ status }) => status)
    assert.ok(!states.includes('running'), 'nothing is left running')
    assert.equal(leaseHolder(bench.db, keyOf(bench.db, id)), null)
    bench.runner.resume(id)
  }
  assert.equal((await bench.runner.ended(id)).state, 'done')
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, config))
  const trained = pool.tasks.map(({ graph, purpose }) => `${fingerprint(graph)} ${purpose}`)
  assert.equal(new Set(trained).size, trained.length, 'nothing is trained twice')
})

test('a search left running by a program that ended goes on in the next, where it was', async (t) => {
  const config = smallConfig()
  const folder = temporaryFolder(t)
  const first = openBench(t, { folder, pool: quickPool(1) })
  const { id } = first.runner.create({ name: 'test', config })
  await settled(first, id, 12)
  await first.runner.close()
  assert.equal(getSearch(first.db, id)!.state, 'running')
  assert.throws(() => first.runner.resume(id), code('conflict', /ending/))

  const second = openBench(t, { folder, pool: quickPool(2) })
  second.runner.resume(id)
  assert.equal((await second.runner.ended(id)).state, 'done')
  assert.deepEqual(historyOf(second.db, id), await undisturbed(t, config))
})

test('a stopped search says so, and can be taken up again', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  await settled(bench, id, 8)
  await bench.runner.pause(id)
  await bench.runner.stop(id)
  assert.equal(getSearch(bench.db, id)!.state, 'stopped')
  bench.runner.resume(id)
  assert.throws(() => bench.runner.resume(id), code('conflict', /at work already/))
  assert.equal((await bench.runner.ended(id)).state, 'done')
  assert.throws(() => bench.runner.resume(id), code('conflict', /done already/))
  await assert.rejects(bench.runner.pause(id), code('conflict', /done already/))
  assert.throws(() => bench.runner.resume('nowhere'), code('missing', /"nowhere"/))
})

test('data or runtime that fail end the search with one sentence; cured, it goes on to the same history', async (t) => {
  const config = smallConfig()
  let broken = true
  const pool = quickPool(1, {
    interfere: (_, index) =>
      broken && index === 14
        ? { kind: 'environment', message: 'data_batch_2.bin: needed 30730000 bytes, got 12' }
        : null,
  })
  const bench = openBench(t, { pool })
  const failed = await runToEnd(bench, config)
  assert.equal(failed.state, 'failed')
  assert.equal(failed.failure, 'data_batch_2.bin: needed 30730000 bytes, got 12')
  broken = false
  bench.runner.resume(failed.id)
  const search = await bench.runner.ended(failed.id)
  assert.deepEqual([search.state, search.failure], ['done', null])
  assert.deepEqual(historyOf(bench.db, failed.id), await undisturbed(t, config))
})

const insertInto = (runner: Runner, id: string, formula: string): number =>
  runner.insert(id, parseFormula(formula, true), `by hand: ${formula}`).number

test('a layer put in gets the next number, is judged in its turn, and replays', async (t) => {
  const config = smallConfig()
  const folder = temporaryFolder(t)
  const bench = openBench(t, { folder, pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config })
  await settled(bench, id, 12)
  await bench.runner.pause(id)
  const before = historyOf(bench.db, id).length
  const numbers = [
    insertInto(bench.runner, id, 'tanh(x) / std_nhw(x)'),
    insertInto(bench.runner, id, 'v1 + v0'),
    bench.runner.insert(id, knownLayer('BN-ReLU').graph, 'again').number,
  ]
  assert.deepEqual(numbers, [before, before + 1, before + 2])
  const waiting = historyOf(bench.db, id).slice(-3)
  assert.ok(waiting.every(({ status, graph }) => status === 'queued' && graph.nodes.length === 10))

  // Two programs take the same store up from here.
  const copy = temporaryFolder(t)
  bench.db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  cpSync(folder, copy, { recursive: true })
  const other = openBench(t, { folder: copy, pool: quickPool(9, { longest: 12 }) })
  for (const { runner } of [bench, other]) runner.resume(id)
  for (const { runner } of [bench, other]) assert.equal((await runner.ended(id)).state, 'done')
  const history = historyOf(bench.db, id)
  assert.deepEqual(historyOf(other.db, id), history)

  const [layer, constant, known] = numbers.map((number) => history[number]!)
  assert.deepEqual(layer!.origin, { kind: 'imported', note: 'by hand: tanh(x) / std_nhw(x)' })
  assert.ok(['scored', 'rejected'].includes(layer!.status) && layer!.evaluations.length > 0)
  assert.equal(constant!.rejection!.stage, 'static')
  assert.equal(known!.duplicateOf, 0)
})

test('a layer put in while the search runs is judged before later proposals', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  await settled(bench, id, 10)
  const number = insertInto(bench.runner, id, 'tanh(x) / std_nhw(x)')
  await bench.runner.ended(id)
  const history = historyOf(bench.db, id)
  assert.equal(history[number]!.origin.kind, 'imported')
  assert.ok(history.length > number + 1)
  assert.ok(history.every(({ status }) => status !== 'queued' && status !== 'running'))
})

test('a layer that can not be put in is refused with the reason', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const config = smallConfig({}, { space: 'S', baselines: [] })
  const { id } = bench.runner.create({ name: 'test', config })
  await bench.runner.pause(id)
  const batch = knownLayer('EvoNorm-B0').graph
  assert.throws(() => bench.runner.insert(id, batch, ''), code('invalid', /space S has no op std_nhw/))
  const node = { op: 'tanh', inputs: [0] } as const
  const long: Graph = { version: 1, nodes: Array.from({ length: 11 }, () => node), affine: true }
  assert.throws(() => bench.runner.insert(id, long, ''), code('invalid', /has 10 nodes, this one 11/))
  bench.runner.resume(id)
  await bench.runner.ended(id)
  assert.throws(() => insertInto(bench.runner, id, 'tanh(x)'), code('conflict', /made all its proposals/))
})

test('a search without baselines, and one with an unknown one', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  assert.equal((await runToEnd(bench, smallConfig({ maxTrained: 5 }, { baselines: [] }))).state, 'done')
  assert.throws(
    () => bench.runner.create({ name: 'test', config: smallConfig({}, { baselines: ['BN-Rely'] }) }),
    code('invalid', /BN-ReLU, .* got "BN-Rely"/),
  )
})

test('two programs never run one search', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const other = createRunner({ db: bench.db, pool: bench.pool })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  const refused = code('conflict', /being run by process \d+/)
  assert.throws(() => other.resume(id), refused)
  assert.throws(() => insertInto(other, id, 'tanh(x)'), refused)
  await assert.rejects(other.pause(id), refused)
  assert.equal((await bench.runner.ended(id)).state, 'done')
})

test('one who lost the lease writes nothing any more', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  await settled(bench, id, 5)
  const key = keyOf(bench.db, id)
  // As after a long sleep of the machine, in which another program found the heartbeat too old.
  const thief = createHolder()
  bench.db.run('UPDATE leases SET beat = 0, steady = -1000000 WHERE search = ?', key)
  acquireLease(bench.db, key, thief)
  const before = historyOf(bench.db, id)
  assert.equal((await bench.runner.ended(id)).state, 'running')
  assert.deepEqual(historyOf(bench.db, id), before)
  assert.equal(leaseHolder(bench.db, key)!.holder, thief)
  releaseLease(bench.db, key, thief)
  bench.runner.resume(id)
  assert.equal((await bench.runner.ended(id)).state, 'done')
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, smallConfig()))
})

test('a search that can no longer be written shows as failed with the cause, also in the store as soon as it can', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const config = smallConfig()
  const { id } = bench.runner.create({ name: 'test', config })
  await settled(bench, id, 5)
  const told: string[] = []
  bench.runner.onUnwritten((search) => told.push(search))
  bench.db.get('PRAGMA query_only = ON')
  const { state, failure } = await bench.runner.ended(id)
  assert.deepEqual([state, failure], ['failed', 'attempt to write a readonly database'])
  await until('the news of it', () => told.length > 0)
  assert.equal(getSearch(bench.db, id)!.state, 'running')
  assert.equal(bench.runner.asEnded(getSearch(bench.db, id)!).state, 'failed')
  await new Promise((resolve) => setTimeout(resolve, 50))
  bench.db.get('PRAGMA query_only = OFF')
  await until('its end in the store', () => getSearch(bench.db, id)!.state === 'failed')
  assert.equal(getSearch(bench.db, id)!.failure, failure)
  assert.equal(leaseHolder(bench.db, keyOf(bench.db, id)), null)
  bench.runner.resume(id)
  assert.equal((await bench.runner.ended(id)).state, 'done')
  assert.equal(bench.runner.asEnded(getSearch(bench.db, id)!).state, 'done')
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, config))
})

test('what was under evaluation when the program was killed is counted when the search is resumed', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  await settled(bench, id, 9)
  await bench.runner.pause(id)
  const key = keyOf(bench.db, id)
  // As a kill leaves it.
  const queued = historyOf(bench.db, id).filter(({ status }) => status === 'queued').length
  bench.db.run("UPDATE candidates SET status = 'running' WHERE search = ? AND status = 'queued'", key)
  bench.db.run("UPDATE searches SET state = 'running' WHERE key = ?", key)
  bench.runner.resume(id)
  assert.ok(queued > 0)
  assert.equal(requeued(bench.db, key), queued)
  await bench.runner.ended(id)
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, smallConfig()))
})

test('marks of who is alive are put right when a search is resumed', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const { id } = bench.runner.create({ name: 'test', config: smallConfig() })
  await settled(bench, id, 20)
  await bench.runner.pause(id)
  bench.db.run('UPDATE candidates SET alive = 1 - alive WHERE search = ?', keyOf(bench.db, id))
  bench.runner.resume(id)
  await bench.runner.ended(id)
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, smallConfig()))
})

test('two searches run beside each other without touching', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const configs = [smallConfig(), smallConfig({ winner: 'average' }, { seed: 5 })]
  const ids = configs.map((config) => bench.runner.create({ name: 'test', config }).id)
  for (const [i, id] of ids.entries()) {
    assert.equal((await bench.runner.ended(id)).state, 'done')
    assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, configs[i]!))
  }
})
