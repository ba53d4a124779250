/** A whole search with the real engine, in which native code ends workers in the middle of a training. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { createPool } from '../../main/workers/pool.ts'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import type { EvaluationTask } from '../../shared/records.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { historyOf, openBench, runToEnd, smallConfig } from './harness.ts'

const ENGINE = path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts')
const { data, training, architectures, rejection, ...rest } = smallConfig(
  { population: 4, initialSize: 4, maxTrained: 5, inFlight: 1, rerank: { count: 1, steps: 20 } },
  { baselines: ['BN-ReLU'] },
)
/** A search as small as it gets: one network, ten steps, of which each tells of itself once. */
const CONFIG = {
  ...rest,
  data: { ...data, trainingImages: 40, validationImages: 20 },
  training: { ...training, steps: 10, batchSize: 8, warmupSteps: 0 },
  architectures: architectures.slice(0, 1),
  rejection: { quality: { steps: 10, minAccuracy: 0 }, stability: { ...rejection.stability, steps: 1 } },
}

/** The signal that ends every process in which the search's n-th new layer trains; null leaves it alone. */
const SIGNALS: readonly (NodeJS.Signals | null)[] = [null, 'SIGSEGV', null, 'SIGABRT']

test('a search whose workers are killed by signals records which, where and in what op, and goes on to its end', async (t) => {
  const seen: string[] = []
  const killed = new Map<string, NodeJS.Signals>()
  const spawn: Spawn = (...args) => {
    const child = spawnNode(...args)
    let signal: NodeJS.Signals | null = null
    child.onMessage((message) => {
      if (message.kind === 'progress' && message.progress.step > 0 && signal) process.kill(child.pid!, signal)
    })
    return {
      ...child,
      send: (message) => {
        if (message.kind !== 'evaluate') return child.send(message)
        const layer = fingerprint(message.argument.graph)
        if (!seen.includes(layer)) seen.push(layer)
        signal = SIGNALS[seen.indexOf(layer)] ?? null
        if (signal) killed.set(layer, signal)
        // Long enough that it is still at it when the signal comes, however busy the machine is.
        const longer = (task: EvaluationTask): EvaluationTask => ({
          ...task,
          training: { ...task.training, steps: 100_000 },
        })
        child.send(signal ? { ...message, argument: longer(message.argument) } : message)
      },
    }
  }
  const bench = openBench(t, { pool: createPool({ evaluator: ENGINE, count: 1, spawn }) })
  const { id, state, failure } = await runToEnd(bench, CONFIG)
  assert.deepEqual([state, failure], ['done', null])

  const trained = historyOf(bench.db, id).filter(({ status }) => status !== 'duplicate')
  assert.ok(trained.length > SIGNALS.length, `it went on: ${trained.length} layers`)
  assert.deepEqual([...killed.values()], ['SIGSEGV', 'SIGABRT'])
  for (const candidate of trained) {
    const { number, status, fingerprint } = candidate
    const signal = killed.get(fingerprint)
    if (!signal) {
      assert.ok(['scored', 'rejected'].includes(status), `#${number} is ${status}`)
      continue
    }
    assert.equal(status, 'failed', `#${number}`)
    assert.match(
      candidate.failure!.cause,
      new RegExp(
        `^crashed with ${signal} \\(.*\\); last heard of at: (quality|train), resnet, step \\d+; the op last started: [A-Z]\\w+$`,
      ),
    )
    assert.equal(candidate.failure!.attempts, 2)
  }
})
