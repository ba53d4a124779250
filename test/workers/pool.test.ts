import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Pool } from '../../main/workers/pool.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { alive, jobOf, poolOf, taskOf, until } from './fixture.ts'
import { answer } from './stand-in.ts'

const { data } = PRESETS.demo.config
const folder = {
  kind: 'folder',
  path: '/nowhere',
  validationImages: 1,
  trainingImages: 0,
  imageSize: 32,
} as const

/** Those under evaluation. */
const candidates = (pool: Pool): number[] =>
  pool.status().flatMap(({ candidate }) => (candidate === null ? [] : [candidate]))

describe('pool', { concurrency: 4 }, () => {
  test('tasks start in the order they came, as many at once as there are workers', async (t) => {
    const { pool, pids } = poolOf({ milliseconds: 30 }, { count: 2 })
    t.after(pool.close)
    // On a busy machine the first worker could do all of the work before the second has started.
    do await Promise.all([pool.run(jobOf(0)), pool.run(jobOf(1))])
    while (pool.status().some(({ state }) => state === 'starting'))
    const started: number[] = []
    let most = 0
    pool.onStatus(() => (most = Math.max(most, candidates(pool).length)))
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, i) => pool.run(jobOf(i, { onStart: () => started.push(i) }))),
    )
    assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6, 7])
    assert.equal(most, 2)
    assert.equal(pids.length, 2, 'workers are kept')
    for (const [i, outcome] of outcomes.entries())
      assert.deepEqual(outcome, { kind: 'result', result: answer(taskOf(i)) })
    assert.deepEqual(pool.facts(), { evaluator: 'stand-in', threads: '1' })
  })

  test('the status says who works on what', async (t) => {
    const { pool } = poolOf({ milliseconds: 150 }, { count: 2 })
    t.after(pool.close)
    const states = new Set<string>()
    let told = 0
    pool.onStatus(() => {
      told += 1
      states.add(pool.status()[0]!.state)
    })
    let seen = pool.status()
    const outcome = pool.run(jobOf(4, { onProgress: () => (seen = pool.status()) }))
    assert.equal(pool.status()[0]!.state, 'starting')
    await outcome
    assert.ok(told >= 4)
    assert.deepEqual([...states], ['starting', 'busy', 'idle'])
    const [first, second] = seen
    assert.equal(first!.candidate, 4)
    assert.equal(first!.search, 'a search')
    assert.equal(first!.progress?.stage, 'train')
    assert.ok(first!.seconds > 0)
    assert.equal(second!.state, 'idle')
    assert.equal(second!.candidate, null)
    assert.ok(pool.status()[0]!.residentBytes! > 1e7)
  })

  test('aborting ends what waits at once, and what is under way with its process', async (t) => {
    const { pool, pids, retell } = poolOf({ milliseconds: 20, faults: { '#1': 'endless' } })
    t.after(pool.close)
    const [running, waiting] = [new AbortController(), new AbortController()]
    const first = pool.run(jobOf(0, { signal: running.signal, onStart: () => waiting.abort() }))
    const second = pool.run(jobOf(1, { signal: waiting.signal, onStart: () => assert.fail('was aborted') }))
    assert.deepEqual(await second, { kind: 'cancelled' })
    retell({ milliseconds: 20 })
    running.abort()
    assert.deepEqual(await first, { kind: 'cancelled' })
    await until(() => !alive(pids[0]!))
    assert.equal((await pool.run(jobOf(2))).kind, 'result', 'the place is free again')
    assert.deepEqual(await pool.run(jobOf(3, { signal: AbortSignal.abort() })), { kind: 'cancelled' })
    assert.deepEqual(pool.status()[0]!.failures, 0, 'an abort is no failure')
  })

  test('what is aborted all at once starts no process in its place', async (t) => {
    const { pool, pids } = poolOf({ faults: { '*': 'endless' } }, { count: 2 })
    t.after(pool.close)
    const all = new AbortController()
    const outcomes = [0, 1, 2, 3].map((i) => pool.run(jobOf(i, { signal: all.signal })))
    await until(() => candidates(pool).length === 2)
    all.abort()
    for (const outcome of outcomes) assert.deepEqual(await outcome, { kind: 'cancelled' })
    assert.equal(pids.length, 2)
    await until(() => !pids.some(alive))
  })

  test('a data set is checked while all workers are busy, without a place for another candidate', async (t) => {
    const { pool, pids } = poolOf({ faults: { '*': 'endless' } })
    t.after(pool.close)
    const order: string[] = []
    let most = 0
    pool.onStatus(() => (most = Math.max(most, candidates(pool).length)))
    const outcomes = ['first', 'second'].map((name, i) =>
      pool.run(jobOf(i, { onStart: () => order.push(name) })),
    )
    await until(() => order.length === 1)
    const [report] = await Promise.all([
      pool.check(data).finally(() => order.push('checked')),
      assert.rejects(pool.check(folder), {
        name: 'EnvironmentError',
        message: 'stand-in: no images in /nowhere',
      }),
    ])
    assert.equal(report.trainingImages, data.trainingImages)
    assert.equal(report.classes.length, 10)
    await until(() => pids.filter(alive).length === 1)
    assert.equal(pool.status().length, 1, 'the spare worker is ended')
    assert.deepEqual(order, ['first', 'checked'])
    assert.equal(most, 1)
    pool.close()
    for (const outcome of outcomes) assert.deepEqual(await outcome, { kind: 'cancelled' })
  })

  test('a worker is replaced after so many tasks, or when it holds too much', async (t) => {
    const scratch = mkdtempSync(join(tmpdir(), 'normforge-'))
    t.after(() => rmSync(scratch, { recursive: true }))
    for (const [limits, processes] of [
      [{ recycleTasks: 2 }, 3],
      [{ recycleBytes: 1 }, 5],
    ] as const) {
      const log = join(scratch, `${processes}`)
      const { pool, pids } = poolOf({ log }, { limits })
      t.after(pool.close)
      for (const i of [0, 1, 2, 3, 4]) assert.equal((await pool.run(jobOf(i))).kind, 'result')
      pool.close()
      const lines = readFileSync(log, 'utf8').trim().split('\n')
      assert.equal(lines.length, 5)
      assert.equal(new Set(lines.map((line) => line.split(' ')[2])).size, processes)
      await until(() => !pids.some(alive))
    }
  })

  test('an idle worker is ended after a while and started again when there is work', async (t) => {
    const { pool, pids } = poolOf({}, { limits: { idleSeconds: 0.1 } })
    t.after(pool.close)
    await pool.run(jobOf(0))
    await until(() => !alive(pids[0]!))
    assert.equal(pool.status()[0]!.state, 'idle')
    assert.equal(pool.status()[0]!.failures, 0)
    assert.equal((await pool.run(jobOf(1))).kind, 'result')
    assert.equal(pids.length, 2)
  })

  test('closing cancels what waits or runs and leaves no process', async (t) => {
    const { pool, pids } = poolOf({ faults: { '*': 'endless' } }, { count: 2 })
    t.after(pool.close)
    let started = 0
    const outcomes = [0, 1, 2].map((i) => pool.run(jobOf(i, { onStart: () => (started += 1) })))
    await until(() => started === 2)
    const check = pool.check(data)
    pool.close()
    for (const outcome of outcomes) assert.deepEqual(await outcome, { kind: 'cancelled' })
    await assert.rejects(check, { name: 'EnvironmentError', message: 'the workers have been ended' })
    await until(() => !pids.some(alive))
    assert.deepEqual(await pool.run(jobOf(3)), { kind: 'cancelled' })
    await assert.rejects(pool.check(data), /have been ended/)
    assert.ok(pids.length <= 3)
  })

  test('a pool needs a worker', () => {
    assert.throws(() => poolOf({}, { count: 0 }), /needs one worker at least, got 0/)
  })
})
