import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  bestOf,
  chosenSplit,
  describeSplit,
  measuredSplits,
  workersWithin,
} from '../../main/setup/workers.mjs'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import { measureSplits, splitsOf, timeSplit } from '../../main/workers/split.ts'
import { alive, jobOf, poolOf, tell, until } from './fixture.ts'
import { STAND_IN } from './stand-in.ts'

const GIB = 2 ** 30
const trial = (workers: number, threads: number, stepsPerSecond: number) => ({
  workers,
  threads,
  stepsPerSecond,
})
const measured = { measured: '2026-11-24T10:00:00.000Z', trials: [trial(4, 1, 100), trial(2, 2, 130)] }

const temporary = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'machine', 'workers.json')
}
/** Stand-ins, and the ids of their processes. */
const watched = (told: Parameters<typeof tell>[0] = {}) => {
  const pids: number[] = []
  const spawn: Spawn = (...args) => {
    tell(told)
    const child = spawnNode(...args)
    pids.push(child.pid!)
    return child
  }
  return { pids, spawn }
}

test('splits share the cores out, one worker a core first, and never twice the same', () => {
  const text = (...of: Parameters<typeof splitsOf>): string =>
    splitsOf(...of)
      .map(({ workers, threads }) => `${workers}×${threads}`)
      .join(' ')
  assert.equal(text(1, false, 99), '1×1')
  assert.equal(text(2, false, 99), '2×1 1×2')
  assert.equal(text(16, false, 99), '16×1 1×16 8×2')
  assert.equal(text(16, false, 5), '5×3 1×16', 'memory for five')
  assert.equal(text(16, true, 99), '1×16 2×8 4×4 8×2 16×1', 'a GPU is shared')
})

test('memory limits the workers, to one at least', () => {
  assert.equal(workersWithin(16, 64 * GIB), 16)
  assert.equal(workersWithin(16, 8 * GIB), 5)
  assert.equal(workersWithin(16, GIB), 1)
})

test('the quickest split is taken, but one worker a core unless another is clearly quicker', () => {
  assert.deepEqual(bestOf(measured.trials), trial(2, 2, 130))
  assert.deepEqual(bestOf([trial(4, 1, 100), trial(1, 4, 50), trial(2, 2, 104)]), trial(4, 1, 100))
})

test('what the user says comes before what was measured, and that before the default', () => {
  const cores = availableParallelism()
  assert.deepEqual(chosenSplit({ workers: 3 }, measured), { workers: 3, threads: 1, from: 'given' })
  assert.deepEqual(chosenSplit({ workers: 3, threads: 5 }, null), { workers: 3, threads: 5, from: 'given' })
  assert.deepEqual(chosenSplit({ threads: cores }, measured), { workers: 1, threads: cores, from: 'given' })
  assert.deepEqual(chosenSplit({}, measured), { workers: workersWithin(2), threads: 2, from: 'measured' })
  assert.deepEqual(chosenSplit({}, null), { workers: workersWithin(cores), threads: 1, from: 'default' })
})

test('the doctor says which split, and why', () => {
  const most = workersWithin(2)
  assert.equal(
    describeSplit({}, measured),
    `${most} of 2 threads (measured on 2026-11-24, steps a second: 4 of 1 thread 100, 2 of 2 threads 130)`,
  )
  assert.equal(describeSplit({ workers: 1 }, measured), '1 of 1 thread (as --workers or --threads say)')
  assert.match(
    describeSplit({}, null),
    /of 1 thread \(default; the first search measures what is quickest\)$/,
  )
})

test('a file of measurements that is torn or foreign counts as none', (t) => {
  const file = path.join(path.dirname(path.dirname(temporary(t))), 'workers.json')
  const read = (text: string) => {
    writeFileSync(file, text)
    return measuredSplits(file)
  }
  assert.equal(measuredSplits(`${file}.missing`), null)
  assert.deepEqual(read(JSON.stringify(measured)), measured)
  for (const text of ['{"measured":', '[]', 'null', '{"measured":"x","trials":[]}'])
    assert.equal(read(text), null, text)
  for (const wrong of [trial(0, 1, 5), trial(1, 1.5, 5), trial(1, 1, -5), null])
    assert.equal(read(JSON.stringify({ ...measured, trials: [wrong] })), null)
})

test('a split is timed with its workers all together, which are gone afterwards', async () => {
  const { pids, spawn } = watched()
  assert.equal(
    await timeSplit({ workers: 3, threads: 4 }, { evaluator: STAND_IN, spawn, seconds: 0.01 }),
    600,
  )
  assert.equal(pids.length, 3)
  await until(() => !pids.some(alive))
})

test('the machine’s figures are kept; the best of them is what comes next', async (t) => {
  const file = temporary(t)
  const found = await measureSplits({ evaluator: STAND_IN, ...watched(), seconds: 0.01 }, file)
  const cores = availableParallelism()
  const kept = measuredSplits(file)!
  assert.deepEqual(kept.trials[0], trial(workersWithin(cores), 1, 100 * workersWithin(cores)))
  assert.deepEqual(chosenSplit({}, kept), found)
  assert.equal(found.workers, workersWithin(cores))
})

test('workers that can’t start measure nothing, and keep nothing', async (t) => {
  const file = temporary(t)
  const { pids, spawn } = watched({ faults: { start: 'exit' } })
  const found = await measureSplits({ evaluator: STAND_IN, spawn }, file)
  assert.deepEqual(found, chosenSplit({}, null))
  assert.ok(!existsSync(file))
  await until(() => !pids.some(alive))
})

test('a pool that is to settle does so before its first candidate, and with what it was told', async (t) => {
  let asked = 0
  const settle = async () => {
    asked += 1
    return { workers: 3, threads: 2 }
  }
  const { pool } = poolOf({}, { count: 1, settle })
  t.after(pool.close)
  await pool.check(jobOf(0).task.data)
  assert.deepEqual([asked, pool.count, pool.facts().threads], [0, 1, '1'])
  const outcomes = Promise.all([0, 1, 2].map((layer) => pool.run(jobOf(layer))))
  assert.deepEqual(
    pool.status().map(({ state }) => state),
    ['starting'],
  )
  assert.deepEqual(
    (await outcomes).map(({ kind }) => kind),
    ['result', 'result', 'result'],
  )
  assert.deepEqual([asked, pool.count, pool.status().length, pool.facts().threads], [1, 3, 3, '2'])
})

test('a pool whose measurement fails works as it was', async (t) => {
  const { pool } = poolOf({}, { count: 2, settle: async () => Promise.reject(new Error('no')) })
  t.after(pool.close)
  assert.equal((await pool.run(jobOf(0))).kind, 'result')
  assert.equal(pool.count, 2)
})

test('closing a pool ends its measurement', async () => {
  const { pids, spawn } = watched({ faults: { start: 'endless' } })
  const file = path.join(tmpdir(), 'never-written.json')
  const { pool } = poolOf(
    {},
    { settle: (signal) => measureSplits({ evaluator: STAND_IN, spawn, signal }, file) },
  )
  const outcome = pool.run(jobOf(0))
  await until(() => pids.length > 0)
  pool.close()
  assert.equal((await outcome).kind, 'cancelled')
  await until(() => !pids.some(alive))
})

test('workers are told what the user asks for', async (t) => {
  const { pool } = poolOf({}, { threads: 3, options: { mixedPrecision: true, xla: 'always' } })
  t.after(pool.close)
  await pool.run(jobOf(0))
  const { threads, told } = pool.facts()
  assert.deepEqual([threads, told], ['3', '{"mixedPrecision":true,"xla":"always"}'])
})
