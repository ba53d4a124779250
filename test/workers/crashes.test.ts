/** Workers of the real engine that native code kills: told by the signal and the op last started, and nothing else is lost. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createPool, type Outcome, type PoolOptions } from '../../main/workers/pool.ts'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import { followOps } from '../../main/workers/signals.ts'
import type { EvaluationTask } from '../../shared/records.ts'
import { alive, jobOf, taskOf, until } from './fixture.ts'

const ENGINE = path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts')
const ABORTING = path.resolve(import.meta.dirname, 'aborting.ts')

/** A training of the real engine, as small as it gets. */
const small = (layer: number, steps = 20): EvaluationTask => {
  const { data, training, architectures, ...task } = taskOf(layer)
  return {
    ...task,
    data: { ...data, trainingImages: 40, validationImages: 20 },
    architectures: architectures.slice(0, 1),
    training: { ...training, steps, batchSize: 8 },
    rejection: null,
  }
}

const poolOf = (t: TestContext, options: Partial<PoolOptions>) => {
  const pids: number[] = []
  const base = options.spawn ?? spawnNode
  const spawn: Spawn = (...args) => {
    const child = base(...args)
    if (child.pid !== undefined) pids.push(child.pid)
    return child
  }
  const pool = createPool({ evaluator: ENGINE, count: 1, ...options, spawn })
  t.after(async () => {
    pool.close()
    await until(() => !pids.some(alive))
  })
  return { pool, pids }
}

const failureOf = (outcome: Outcome): { cause: string; trace: string; attempts: number } => {
  assert.ok(outcome.kind === 'failure', JSON.stringify(outcome))
  return outcome.failure
}

test('an engine killed by a signal in a recorded step is told by that and the op; the others are not lost', async (t) => {
  // The processes that work on the first candidate are killed a moment after a step's end, so in the next one.
  let victims = 2
  const spawn: Spawn = (...args) => {
    const child = spawnNode(...args)
    let told = false
    child.onMessage((message) => {
      if (message.kind !== 'progress' || message.progress.step === 0 || told || victims === 0) return
      told = true
      victims -= 1
      process.kill(child.pid!, 'SIGSEGV')
    })
    return child
  }
  const { pool, pids } = poolOf(t, { spawn })
  const outcomes = await Promise.all([
    pool.run(jobOf(1, { task: small(1, 2000) })),
    pool.run(jobOf(2, { task: small(2) })),
  ])
  const { cause, trace, attempts } = failureOf(outcomes[0]!)
  assert.match(
    cause,
    /^crashed with SIGSEGV \(native code reached .*\); last heard of at: train, resnet, step \d+; the op last started: [A-Z]\w+$/,
  )
  assert.match(trace, /Process node: \d+ step \d+/, 'what came before it')
  assert.equal(attempts, 2)
  assert.equal(outcomes[1]!.kind, 'result')
  assert.equal(pids.length, 3, 'a process that traces its ops is slow, and does one task')
})

test('a crash that comes once costs the candidate nothing but time: its figures are the same', async (t) => {
  let killed = false
  const spawn: Spawn = (...args) => {
    const child = spawnNode(...args)
    child.onMessage((message) => {
      if (message.kind === 'progress' && message.progress.step > 0 && !killed)
        killed = process.kill(child.pid!, 'SIGBUS')
    })
    return child
  }
  const scoresOf = (outcome: Outcome) => (outcome.kind === 'result' ? outcome.result.scores : outcome)
  const { pool } = poolOf(t, { spawn })
  const crashed = await pool.run(jobOf(0, { task: small(0, 40) }))
  assert.ok(killed)
  assert.deepEqual(scoresOf(await pool.run(jobOf(0, { task: small(0, 40) }))), scoresOf(crashed))
})

test('an op that aborts the process is named', async (t) => {
  const { pool } = poolOf(t, { evaluator: ABORTING })
  const { cause } = failureOf(await pool.run(jobOf(0)))
  assert.match(cause, /^crashed with SIGABRT \(.*\); the op last started: Abort$/)
})

test('a traced process waits for a reader that is slow, and loses nothing of what it writes', async () => {
  const trace = path.resolve(import.meta.dirname, '../../main/engine/trace.ts')
  const program = `
    const { traceBinding } = await import(${JSON.stringify(trace)})
    const binding = { executeOp: () => [] }
    traceBinding(binding)
    // Touched, it becomes a pipe that refuses when it is full.
    process.stderr.write('')
    process.send('begun')
    for (let i = 0; i < 20_000; i++) binding.executeOp('Op' + i, [], [], 0)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const closed = once(child, 'close')
  await once(child, 'message')
  // Longer than it takes to fill a pipe.
  await new Promise((resolve) => setTimeout(resolve, 200))
  let lines = 0
  const ops = followOps()
  child.stderr!.on('data', (chunk: Buffer) => {
    ops.add(chunk.toString())
    lines += chunk.filter((byte) => byte === 10).length
  })
  assert.deepEqual(await closed, [0, null])
  assert.deepEqual([lines, ops.last()], [20_000, 'Op19999'])
})

test('the newest op counts, however what tells it was cut', () => {
  const text =
    'x] Process node: 1 step 2 {{node a}} = _MklNativeConv2D[T=DT_FLOAT]()\n{{node eager}} = AddV2[]\nmalloc(): x\n'
  for (let cut = 0; cut <= text.length; cut++) {
    const ops = followOps()
    ops.add(text.slice(0, cut))
    ops.add(text.slice(cut))
    assert.equal(ops.last(), 'AddV2', String(cut))
  }
  const ops = followOps()
  ops.add(text.slice(0, text.indexOf('\n')))
  assert.equal(ops.last(), 'Conv2D')
})
