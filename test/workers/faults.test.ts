import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { PRESETS } from '../../shared/catalog.ts'
import { alive, fingerprintOf, jobOf, poolOf, until } from './fixture.ts'
import { STAND_IN, type Fault } from './stand-in.ts'

const { data } = PRESETS.demo.config

// Heartbeats come every second: silence has to be longer than that on a busy machine, too.
const limits = {
  silenceSeconds: 3,
  residentBytes: 300 * 2 ** 20,
  taskSeconds: () => 60,
}

describe('faults', { concurrency: 4 }, () => {
  test('whatever a candidate does to its worker, it is tried twice and fails alone', async (t) => {
    const cases: readonly (readonly [Fault, RegExp, RegExp])[] = [
      ['hang', /^hangs: no sign for \d+ s, 3 s allowed$/, /^$/],
      ['crash', /^killed by the system \(SIGKILL\), as happens when memory runs out$/, /^$/],
      ['abort', /^crashed with SIGABRT \(native code gave up, as the allocator does/, /Native stack trace/],
      ['segv', /^crashed with SIGSEGV \(native code reached .*\); the op last started: Conv2D$/, /Conv2D/],
      [
        'ill',
        /^crashed with SIGILL \(.* this processor doesn't have\); the op last started: Conv2D$/,
        /Conv2D/,
      ],
      ['exit', /^ended with exit code 3$/, /^$/],
      ['memory', /^out of memory: 0\.\d\d GB held, 0\.29 GB allowed$/, /^$/],
      ['throw', /^stand-in: was told to throw$/, /stand-in\.ts:\d+/],
    ]
    let illegal = 0
    const { pool, pids } = poolOf(
      { faults: Object.fromEntries(cases.map(([fault], i) => [fingerprintOf(i), fault])) },
      { count: 2, limits, onIllegalInstruction: () => (illegal += 1) },
    )
    t.after(pool.close)
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, i) => pool.run(jobOf(i))))
    for (const [i, outcome] of outcomes.entries()) {
      const expected = cases[i]
      if (!expected) {
        assert.equal(outcome.kind, 'result')
        continue
      }
      const [fault, cause, trace] = expected
      assert.equal(outcome.kind, 'failure', fault)
      if (outcome.kind !== 'failure') continue
      assert.match(outcome.failure.cause, cause)
      assert.match(outcome.failure.trace, trace)
      assert.equal(outcome.failure.attempts, 2)
    }
    const failures = pool.status().reduce((sum, worker) => sum + worker.failures, 0)
    assert.equal(illegal, 2)
    assert.equal(failures, 14, 'processes lost, two a fault; an exception costs none')
    pool.close()
    await until(() => !pids.some(alive))
    t.diagnostic(`${pids.length} processes for 10 candidates`)
  })

  test('a task that goes on for ever is ended at its limit', async (t) => {
    const { pool } = poolOf({ faults: { '*': 'endless' } }, { limits: { ...limits, taskSeconds: () => 0.5 } })
    t.after(pool.close)
    const outcome = await pool.run(jobOf(0))
    assert.ok(outcome.kind === 'failure')
    assert.match(outcome.failure.cause, /^took too long: 1 s, 1 s allowed$/)
  })

  test('a fault that comes once costs nothing but the time', async (t) => {
    // The second task of every process: three tasks need a retry for the second and one for the third.
    for (const fault of ['crash', 'throw'] as const) {
      const { pool } = poolOf({ faults: { '#2': fault } })
      t.after(pool.close)
      for (const i of [0, 1, 2]) assert.equal((await pool.run(jobOf(i))).kind, 'result', fault)
    }
  })

  test('a retried candidate comes before those that wait', async (t) => {
    const { pool } = poolOf({ faults: { '#2': 'crash' } })
    t.after(pool.close)
    const started: number[] = []
    await Promise.all([0, 1, 2].map((i) => pool.run(jobOf(i, { onStart: () => started.push(i) }))))
    assert.deepEqual(started, [0, 1, 1, 2, 2])
  })

  test('what is not the fault of the candidate is told as such, and not tried again', async (t) => {
    const { pool, pids } = poolOf({ faults: { '#1': 'environment' } })
    t.after(pool.close)
    let starts = 0
    assert.deepEqual(await pool.run(jobOf(0, { onStart: () => (starts += 1) })), {
      kind: 'environment',
      message: 'stand-in: the data were taken away',
    })
    assert.equal(starts, 1)
    assert.equal((await pool.run(jobOf(1))).kind, 'result')
    assert.equal(pids.length, 1)
  })

  test('a runtime that does not start is told to all who wait; mended, it serves again', async (t) => {
    const cases: readonly (readonly [Fault, RegExp])[] = [
      ['throw', /^worker processes can't start: stand-in: was told to throw$/],
      ['crash', /^worker processes can't start: killed by the system/],
      ['endless', /^worker processes can't start: not ready after \d+ s, 3 s allowed$/],
    ]
    for (const [fault, message] of cases) {
      const { pool, pids, retell } = poolOf({ faults: { start: fault } }, { limits: { startSeconds: 3 } })
      t.after(pool.close)
      const outcomes = Promise.all([0, 1, 2].map((i) => pool.run(jobOf(i))))
      await assert.rejects(pool.check(data), { name: 'EnvironmentError', message })
      for (const outcome of await outcomes) {
        assert.ok(outcome.kind === 'environment')
        assert.match(outcome.message, message)
      }
      assert.equal(pids.length, 2)
      const [status] = pool.status()
      assert.deepEqual([status!.state, status!.failures], ['dead', 2])
      retell({})
      assert.equal((await pool.run(jobOf(0))).kind, 'result')
      assert.equal(pool.status()[0]!.state, 'idle')
    }
  })

  test('an evaluator module that is missing is named', async (t) => {
    const { pool } = poolOf({}, { evaluator: `${STAND_IN}.missing` })
    t.after(pool.close)
    const outcome = await pool.run(jobOf(0))
    assert.ok(outcome.kind === 'environment')
    assert.match(outcome.message, /Cannot find module .*stand-in\.ts\.missing/)
  })

  test('a process that the system refuses to start is told like one that fails', async (t) => {
    const { pool } = poolOf({}, { evaluator: 'a\0b' })
    t.after(pool.close)
    const outcome = await pool.run(jobOf(0))
    assert.ok(outcome.kind === 'environment')
    assert.match(outcome.message, /^worker processes can't start: could not be started: .*null bytes/)
  })

  test('a question that gets no worker fails alone while candidates are evaluated', async () => {
    const { pool, retell } = poolOf({ faults: { '*': 'endless' } })
    let started = false
    const outcomes = [0, 1].map((i) => pool.run(jobOf(i, { onStart: () => (started = true) })))
    await until(() => started)
    retell({ faults: { start: 'throw' } })
    await assert.rejects(pool.check(data), /can't start/)
    assert.equal(pool.status()[0]!.candidate, 0)
    pool.close()
    for (const outcome of outcomes) assert.deepEqual(await outcome, { kind: 'cancelled' })
  })

  test('no worker outlives a parent that is killed, not even one that hangs', async () => {
    const parent = spawn(process.execPath, [`${import.meta.dirname}/orphans.ts`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pids = line.toString().trim().split(' ').map(Number)
    assert.equal(pids.length, 2)
    assert.ok(pids.every(alive))
    parent.kill('SIGKILL')
    await until(() => !pids.some(alive))
  })
})

// Alone, since it holds up all else in this process.
test('time in which the pool itself was held up does not count against a worker', async (t) => {
  const { pool } = poolOf({ milliseconds: 4200 }, { limits: { ...limits, silenceSeconds: 3 } })
  t.after(pool.close)
  let starts = 0
  const outcome = pool.run(jobOf(0, { onStart: () => (starts += 1) }))
  await until(() => starts === 1)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3300)
  assert.equal((await outcome).kind, 'result')
  assert.equal(starts, 1)
})
