/** What comes out of Redis is trusted by nobody; machines and hosts of other builds, and data that are not there, are refused. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { connectTo } from '../../main/remote/address.ts'
import { buildOf } from '../../main/remote/build.ts'
import { openRemotePool } from '../../main/remote/host.ts'
import { startMachine, type MachineOptions } from '../../main/remote/machine.ts'
import { NAMES, PREFIX, queueName } from '../../main/remote/names.ts'
import { pack, unpack } from '../../main/remote/pack.ts'
import { scoreTask } from '../../main/search/task.ts'
import { createPool, type Outcome, type Pool } from '../../main/workers/pool.ts'
import { knownLayer } from '../../shared/known.ts'
import type { DataConfig } from '../../shared/records.ts'
import { quickPool, smallConfig, temporaryFolder } from '../search/harness.ts'
import { segmentationConfig } from '../transfer/harness.ts'
import { answer, STAND_IN } from '../workers/stand-in.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import { beforeRedisEnds, startRedis } from './redis.ts'

const CONFIG = smallConfig()
const GRAPH = knownLayer('BN-ReLU').graph
const TASK = scoreTask(CONFIG, GRAPH, 'candidate')

const openHost = async (url: string, notes: string[] = []): Promise<Pool> => {
  const pool = await openRemotePool({
    address: { url },
    local: quickPool(1),
    lookMs: 200,
    note: (text) => notes.push(text),
  })
  beforeRedisEnds(() => pool.close())
  return pool
}
const openMachine = async (t: TestContext, url: string, more: Partial<MachineOptions> = {}) => {
  const pool = more.pool ?? { ...quickPool(2, { longest: 20 }), count: 2 }
  const machine = await startMachine({
    address: { url },
    folder: temporaryFolder(t),
    leaseMs: 1000,
    beatMs: 200,
    ...more,
    pool,
  })
  beforeRedisEnds(() => machine.stop())
  return machine
}
const run = (
  pool: Pool,
  data: DataConfig = TASK.data,
  candidate = 1,
  signal = new AbortController().signal,
): Promise<Outcome> => pool.run({ task: { ...TASK, data }, search: 'search', candidate, signal })

test('a wrong password, a wrong address and a machine of another build are refused in one sentence', async (t) => {
  const redis = await startRedis(t, ['--requirepass', 'secret'])
  if (!redis) return
  await assert.rejects(
    openHost(redis.url.replace('//', '//:wrong@')),
    /^RemoteError: redis: redis:\/\/127.0.0.1:\d+ can't be used: .*(WRONGPASS|invalid)/,
  )
  await assert.rejects(openHost('redis://127.0.0.1:1'), /ECONNREFUSED/)
  await assert.rejects(openHost('http://somewhere'), /needs redis:/)
  const url = redis.url.replace('//', '//:secret@')
  await openHost(url)
  const other = { version: '9.9.9', digest: '0'.repeat(12) }
  await assert.rejects(
    openMachine(t, url, { build: other }),
    /needs NormForge .*this machine has NormForge 9\.9\.9, build 000000000000/,
  )
})

test('jobs, answers and presences that are none do no harm', async (t) => {
  const redis = await startRedis(t)
  if (!redis) return
  const client = connectTo({ url: redis.url })
  const queue = new Queue(queueName(buildOf().digest, 'none'), { connection: client, prefix: PREFIX })
  t.after(async () => {
    await queue.close()
    client.disconnect()
  })
  for (const [i, data] of [
    {},
    { kind: 'evaluate', key: '../x' },
    'text',
    { kind: 'evaluate', key: 'a', task: TASK },
  ].entries())
    await queue.add('evaluate', data, { jobId: `bad-${i}` })
  await client.sadd(NAMES.machines, 'evil')
  await client.set(NAMES.machine('evil'), '{"name": 1}')
  await client.sadd(NAMES.hosts, 'evil')
  await client.set(NAMES.host('evil'), 'no JSON')
  const pool = await openHost(redis.url)
  await client.publish(NAMES.toHosts, '{"kind":"answered"}')
  // An answer that was put there by somebody else: nothing is taken from it, and the job is done.
  const promised = run(pool)
  await sleep(100)
  const [job] = await queue.getJobs(['waiting'], 0, 0)
  const { key } = job!.data as { key: string }
  const scores = [2, 0.5, 0.5]
  const forged = {
    kind: 'evaluate',
    key,
    made: {},
    outcome: { kind: 'result', result: { ...answer(TASK), scores } },
  }
  await client.set(NAMES.answer(key), JSON.stringify(forged))
  await client.publish(NAMES.toHosts, JSON.stringify({ kind: 'answered', key }))
  await sleep(300)
  await openMachine(t, redis.url)
  const outcome = await promised
  assert.ok(outcome.kind === 'result')
  assert.deepEqual(outcome.result, answer(TASK))
})

test('names in a pack that lead out of its folder are refused', (t) => {
  const folder = temporaryFolder(t)
  const file = path.join(folder, 'file')
  writeFileSync(file, 'content')
  for (const name of ['../out', '/etc/x', 'a/../../b', 'C:\\x', ''])
    assert.throws(() => unpack(pack([{ name, file }]), path.join(folder, 'in')), /pack: needed/)
  unpack(pack([{ name: 'a/b', file }]), path.join(folder, 'in'))
})

test('the same is done once, an answer is taken once, and what is cancelled is not done', async (t) => {
  const redis = await startRedis(t)
  if (!redis) return
  const tasks = quickPool(3, { longest: 20 })
  const pool = await openHost(redis.url)
  const controller = new AbortController()
  const cancelled = run(pool, TASK.data, 7, controller.signal)
  const again = run(await openHost(redis.url), TASK.data, 8)
  const once = run(pool, TASK.data, 8)
  controller.abort()
  assert.deepEqual(await cancelled, { kind: 'cancelled' })
  await sleep(200)
  await openMachine(t, redis.url, { pool: { ...tasks, count: 2 } })
  const outcomes = await Promise.all([once, again])
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['result', 'result'],
  )
  assert.equal(tasks.tasks.length, 1)
})

test('data are found by what is in them: small ones travel, and a machine without others says so', async (t) => {
  const redis = await startRedis(t)
  if (!redis) return
  const folder = temporaryFolder(t)
  const data = path.join(folder, 'images')
  for (const name of ['cat', 'dog']) {
    mkdirSync(path.join(data, name), { recursive: true })
    writeFileSync(path.join(data, name, 'a.png'), name)
  }
  const seen: (string | undefined)[] = []
  const inner = quickPool(4)
  const pool = {
    ...inner,
    count: 1,
    run: (job: Parameters<Pool['run']>[0]) => {
      seen.push(job.task.data.path)
      return inner.run({ ...job, task: { ...job.task, data: TASK.data } })
    },
  }
  const host = await openHost(redis.url)
  await openMachine(t, redis.url, { pool, folder: path.join(folder, 'machine') })
  const outcome = await run(host, { ...TASK.data, kind: 'folder', path: data })
  assert.equal(outcome.kind, 'result')
  assert.ok(seen[0]?.startsWith(path.join(folder, 'machine', 'data')), seen[0])
})

test('a transfer whose machine is stopped goes on elsewhere from its checkpoint, with the same figures', async (t) => {
  const redis = await startRedis(t)
  if (!redis) return
  process.env['NORMFORGE_STANDIN_MS'] = '1500'
  t.after(() => delete process.env['NORMFORGE_STANDIN_MS'])
  const host = await openHost(redis.url)
  const workers = () => {
    const pool = createPool({ evaluator: STAND_IN, count: 1 })
    t.after(() => pool.close())
    return pool
  }
  const first = await openMachine(t, redis.url, { pool: workers(), stateMs: 0 })
  const folder = temporaryFolder(t)
  const run = { graph: GRAPH, config: segmentationConfig(), seed: 5, folder }
  const steps: number[] = []
  const ended = host.transfer({
    run,
    key: `${'a'.repeat(32)}-${'b'.repeat(32)}-5`,
    signal: new AbortController().signal,
    onProgress: ({ step }) => steps.push(step),
  })
  while (Math.max(0, ...steps) < 20) await sleep(20)
  const before = steps.length
  await first.stop()
  await openMachine(t, redis.url, { pool: workers() })
  const outcome = await ended
  assert.ok(outcome.kind === 'result')
  assert.deepEqual(outcome.result, transferAnswer(run))
  assert.ok(
    steps.slice(before).every((step) => step > 10),
    `went on: ${steps.join(' ')}`,
  )
})
