import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rebuild } from '../../main/search/replay.ts'
import { inFlightFor } from '../../main/search/search.ts'
import type { Database } from '../../main/store/database.ts'
import { getSearch, keyOf } from '../../main/store/searches.ts'
import { takenOf } from '../../main/store/taken.ts'
import { candidateDetail } from '../../main/store/reading.ts'
import { historyOf, openBench, quickPool, runToEnd, smallConfig, temporaryFolder } from './harness.ts'

const CONFIG = smallConfig({ asynchronous: true, maxTrained: 80, inFlight: 1 })
const WORKERS = 8

const poolOf = (seed: number) => ({ ...quickPool(seed, { longest: 15 }), count: WORKERS })

/** Proposes every candidate of a search anew from what its record held at that moment; returns how many there were. */
const proposedAgain = async (db: Database, id: string): Promise<number> => {
  const key = keyOf(db, id)
  let compared = 0
  await rebuild(db, key, getSearch(db, id)!.config, new AbortController().signal, (history, row) => {
    const { graph, origin } = history.propose(row.number)
    assert.deepEqual([graph, origin], [row.graph, row.origin], `candidate ${row.number}`)
    assert.deepEqual(history.judge(graph), row.verdict, `candidate ${row.number}`)
    compared += 1
  })
  return compared
}

test('an asynchronous search takes results as they come, and its record gives every proposal again', async (t) => {
  const histories = []
  for (const seed of [1, 2]) {
    const bench = openBench(t, { pool: poolOf(seed) })
    const { id, state } = await runToEnd(bench, CONFIG)
    assert.equal(state, 'done')
    const taken = takenOf(bench.db, keyOf(bench.db, id)).map(({ number }) => number)
    assert.equal(taken.length, 80)
    assert.equal(new Set(taken).size, 80)
    assert.notDeepEqual(
      taken,
      [...taken].sort((a, b) => a - b),
    )
    assert.ok((await proposedAgain(bench.db, id)) > 80)
    histories.push(historyOf(bench.db, id))
  }
  // Otherwise nothing above could have failed.
  assert.notDeepEqual(histories[0], histories[1])
})

test('as many candidates are in flight as the workers need, and never more', async (t) => {
  let [underWay, most] = [0, 0]
  const pool = poolOf(3)
  const allThere = Promise.withResolvers<boolean>()
  const bench = openBench(t, {
    pool: {
      ...pool,
      run: async (job) => {
        underWay += 1
        most = Math.max(most, underWay)
        if (underWay === inFlightFor(WORKERS)) allThere.resolve(true)
        await allThere.promise
        const outcome = await pool.run(job)
        underWay -= 1
        return outcome
      },
    },
  })
  await runToEnd(bench, { ...CONFIG, baselines: [] })
  assert.equal(most, inFlightFor(WORKERS))
})

test('an asynchronous search that is ended at any moment goes on, and its record still gives every proposal', async (t) => {
  const folder = temporaryFolder(t)
  const first = openBench(t, { folder, pool: poolOf(4) })
  const { id } = first.runner.create({ name: 'test', config: CONFIG })
  const { db } = first
  const trained = (): number => Number(db.get('SELECT count(DISTINCT number) AS n FROM evaluations')!['n'])
  /** Until some more are trained, and a moment. */
  const someTime = async (): Promise<void> => {
    const before = trained()
    while (trained() < before + 8) await sleep(2)
    await sleep(before % 7)
  }
  await someTime()
  await first.runner.pause(id)
  let pauses = 1
  for (let seed = 5; ; seed++) {
    const { runner } = openBench(t, { folder, pool: poolOf(seed) })
    runner.resume(id)
    const ended = runner.ended(id).then(({ state }) => state === 'done')
    if (await Promise.race([ended, someTime().then(() => false)])) break
    if (getSearch(db, id)!.state === 'done') break
    await runner.pause(id)
    pauses += 1
  }
  assert.ok(pauses > 3, `${pauses} pauses`)
  assert.equal(getSearch(db, id)!.state, 'done')
  assert.equal(takenOf(db, keyOf(db, id)).length, 80)
  await proposedAgain(db, id)
})

test('each evaluation says where it was made: here, or wherever the pool says', async (t) => {
  const pool = poolOf(6)
  const there = { machine: 'there', processor: 'a processor', NormForge: '1.2.3' }
  const bench = openBench(t, {
    pool: {
      ...pool,
      facts: () => ({ machine: 'here' }),
      run: async (job) => {
        const outcome = await pool.run(job)
        return outcome.kind === 'result' && job.candidate % 2 === 0 ? { ...outcome, made: there } : outcome
      },
    },
  })
  const { id } = await runToEnd(bench, smallConfig({ maxTrained: 10 }))
  const key = keyOf(bench.db, id)
  const made = [0, 1].map((number) =>
    candidateDetail(bench.db, key, number)!.evaluations.map(({ made }) => made),
  )
  assert.ok(made.every((list) => list.length > 0))
  for (const one of made[0]!) assert.deepEqual(one, there)
  for (const one of made[1]!) assert.deepEqual(one, { machine: 'here' })
  assert.equal(bench.db.all('SELECT * FROM made').length, 2)
})
