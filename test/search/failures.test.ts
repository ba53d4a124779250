import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { leaseHolder } from '../../main/store/leases.ts'
import { getSearch, keyOf } from '../../main/store/searches.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { knownLayer } from '../../shared/known.ts'
import type { Outcome } from '../../main/workers/pool.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { historyOf, openBench, quickPool, runToEnd, smallConfig } from './harness.ts'

const CRASH: Outcome = { kind: 'failure', failure: { cause: 'crashed with SIGILL', trace: '', attempts: 2 } }

const undisturbed = async (t: TestContext, config: SearchConfig) => {
  const bench = openBench(t, { pool: quickPool(1) })
  return historyOf(bench.db, (await runToEnd(bench, config)).id)
}

/** Every training fails from the `first` on; mended, the search has the history of one left alone. */
const failsFrom = async (
  t: TestContext,
  first: number,
  config: SearchConfig,
  failure: RegExp,
): Promise<void> => {
  let broken = true
  const interfere = (_: unknown, index: number) => (broken && index >= first ? CRASH : null)
  const bench = openBench(t, { pool: quickPool(1, { interfere }) })
  const failed = await runToEnd(bench, config)
  assert.equal(failed.state, 'failed')
  assert.match(failed.failure!, failure)
  assert.ok(historyOf(bench.db, failed.id).every(({ status }) => status !== 'failed' && status !== 'running'))
  assert.equal(leaseHolder(bench.db, keyOf(bench.db, failed.id)), null)
  broken = false
  bench.runner.resume(failed.id)
  assert.deepEqual(await bench.runner.ended(failed.id).then(({ state, failure }) => [state, failure]), [
    'done',
    null,
  ])
  assert.deepEqual(historyOf(bench.db, failed.id), await undisturbed(t, config))
}

test('a search whose every training fails stops with the cause; mended, nothing of it is lost', (t) =>
  failsFrom(t, 0, smallConfig(), /^all 6 baselines failed: crashed with SIGILL$/))

test('so does one without baselines', (t) =>
  failsFrom(
    t,
    0,
    smallConfig({}, { baselines: [] }),
    /^every training fails, that of BN-ReLU, too: crashed with SIGILL$/,
  ))

test('so does one whose trainings fail from some moment on', (t) =>
  failsFrom(t, 15, smallConfig(), /^every training fails, that of BN-ReLU, too: crashed with SIGILL$/))

test('so does one whose re-rankings fail, and one that has more than ten under way', async (t) => {
  await failsFrom(t, 6 + 25, smallConfig(), /^every training fails, that of BN-ReLU, too: /)
  await failsFrom(
    t,
    6,
    smallConfig({ inFlight: 12 }),
    /^(10 trainings in a row failed, the last one|every training fails, that of BN-ReLU, too): crashed with SIGILL$/,
  )
})

test('layers that fail where others do not are to blame themselves, however many', async (t) => {
  const config = smallConfig()
  const plainest = fingerprint(knownLayer('BN-ReLU').graph)
  // One baseline of two works, and three candidates of four fail: more than are in flight at once.
  const pool = quickPool(1, {
    interfere: ({ task, candidate }) =>
      fingerprint(task.graph) !== plainest && candidate % 4 !== 0 && task.purpose === 'score' ? CRASH : null,
  })
  const bench = openBench(t, { pool })
  const { id, state } = await runToEnd(bench, config)
  assert.equal(state, 'done')
  const trained = historyOf(bench.db, id).filter(
    ({ status }) => status !== 'duplicate' && status !== 'rejected',
  )
  for (const { number, status, fingerprint } of trained)
    assert.equal(status, fingerprint === plainest || number % 4 === 0 ? 'scored' : 'failed', `#${number}`)
  assert.ok(trained.filter(({ status }) => status === 'failed').length > 10)
})

test('ten in a row stop a search even where the plainest layer works', async (t) => {
  const plainest = fingerprint(knownLayer('BN-ReLU').graph)
  const pool = quickPool(1, {
    interfere: ({ task }) => (fingerprint(task.graph) !== plainest ? CRASH : null),
  })
  const bench = openBench(t, { pool })
  const { id } = await runToEnd(bench, smallConfig({}, { baselines: ['BN-ReLU'] }))
  const { state, failure } = getSearch(bench.db, id)!
  assert.deepEqual(
    [state, failure],
    ['failed', '10 trainings in a row failed, the last one: crashed with SIGILL'],
  )
})

test('a search that is paused while failures are held back goes on as if they had not been', async (t) => {
  const config = smallConfig({ inFlight: 2 })
  let held: (() => void) | null = null
  let broken = true
  const pool = quickPool(1, {
    interfere: (_, index) => {
      if (!broken || index < 8) return null
      // The first of two fails, and the second is still at it when the pause comes.
      held ??= () => void bench.runner.pause(id)
      queueMicrotask(held)
      return CRASH
    },
  })
  const bench = openBench(t, { pool })
  const { id } = bench.runner.create({ name: 'test', config })
  assert.equal((await bench.runner.ended(id)).state, 'paused')
  broken = false
  bench.runner.resume(id)
  assert.equal((await bench.runner.ended(id)).state, 'done')
  assert.deepEqual(historyOf(bench.db, id), await undisturbed(t, config))
})
