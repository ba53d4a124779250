/** Searches and transfers over several machines, with a real Redis: whatever dies or is cut off, each result is recorded once. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRemotePool } from '../../main/remote/host.ts'
import { rebuild } from '../../main/search/replay.ts'
import { scoreTask } from '../../main/search/task.ts'
import { candidateDetail, lineage } from '../../main/store/reading.ts'
import { getSearch, keyOf } from '../../main/store/searches.ts'
import type { Pool } from '../../main/workers/pool.ts'
import { createRandom } from '../../shared/random.ts'
import { openBench, quickPool, smallConfig, temporaryFolder } from '../search/harness.ts'
import { answer, STAND_IN } from '../workers/stand-in.ts'
import { networkTo, startRedis } from './redis.ts'

const CLI = path.resolve(import.meta.dirname, '../../main/cli.ts')

type Process = { readonly child: ChildProcess; readonly err: () => string }

/** A worker's program as a user starts it, on the stand-in evaluator. */
const startWorker = (
  t: TestContext,
  url: string,
  name: string,
  folder: string,
  more: readonly string[] = [],
): Process => {
  const args = ['worker', '--redis', url, '--name', name, '--workers', '2', '--lease', '1.5', ...more]
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, ...args, '--data-folder', path.join(folder, name)],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NORMFORGE_EVALUATOR: STAND_IN, NORMFORGE_STANDIN_MS: '150' },
    },
  )
  let err = ''
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  t.after(() => child.kill('SIGKILL'))
  return { child, err: () => err }
}

const remotePool = async (t: TestContext, url: string): Promise<Pool> => {
  const pool = await openRemotePool({ address: { url }, local: quickPool(1), lookMs: 300 })
  t.after(() => pool.close())
  return pool
}

test('workers killed at random, Redis restarted, the network cut: each candidate is recorded once, and the search ends', async (t) => {
  const redis = await startRedis(t)
  if (!redis) return
  const folder = temporaryFolder(t)
  const network = await networkTo(t, redis.port)
  const ways = [redis.url, redis.url, network.url]
  const workers = ways.map((url, i) => startWorker(t, url, `machine-${i}`, folder))
  const pool = await remotePool(t, redis.url)
  const { db, runner } = openBench(t, { folder: path.join(folder, 'host'), pool })
  const config = smallConfig({ asynchronous: true, maxTrained: 36 })
  const { id } = runner.create({ name: 'test', config })
  const key = keyOf(db, id)
  const trained = (): number => Number(db.get('SELECT count(DISTINCT number) AS n FROM evaluations')!['n'])
  const ended = runner.ended(id)

  const random = createRandom('machines')
  const events: Readonly<Record<number, () => Promise<void> | void>> = {
    12: () => redis.restart(),
    20: () => {
      network.cut()
      setTimeout(network.mend, 4000)
    },
  }
  let kills = 0
  for (let moment = 4; moment < 34; moment += 4) {
    while (trained() < moment) await sleep(10)
    const event = events[moment]
    if (event) await event()
    else {
      const i = random.below(2)
      workers[i]!.child.kill('SIGKILL')
      workers[i] = startWorker(t, ways[i]!, `machine-${i}`, folder)
      kills += 1
    }
  }
  assert.ok(kills >= 5, `${kills} kills`)
  await ended
  assert.equal(getSearch(db, id)!.state, 'done', getSearch(db, id)!.failure ?? '')

  const machines = new Set<string>()
  for (const { number, duplicateOf, status, role } of lineage(db, key)) {
    if (duplicateOf !== null) continue
    const { candidate, evaluations } = candidateDetail(db, key, number)!
    if (evaluations.length === 0) {
      assert.equal(candidate.rejection?.stage, 'static', `candidate ${number}`)
      continue
    }
    const alone = answer(scoreTask(config, candidate.graph, role))
    const scored = evaluations.filter(({ purpose }) => purpose === 'score')
    assert.deepEqual(
      scored.map(({ made: _, ...rest }) => rest),
      alone.evaluations,
    )
    assert.equal(status, alone.rejection ? 'rejected' : 'scored')
    for (const { made } of evaluations) machines.add(made!['machine']!)
  }
  assert.deepEqual([...machines].sort(), ['machine-0', 'machine-1', 'machine-2'])

  let proposals = 0
  await rebuild(db, key, config, new AbortController().signal, (history, row) => {
    assert.deepEqual(history.propose(row.number).graph, row.graph)
    proposals += 1
  })
  assert.ok(proposals >= 36)
})
