import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../main/store/database.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { createRandom } from '../../shared/random.ts'
import type { Search } from '../../shared/records.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { historyOf, openBench, runToEnd, temporaryFolder } from './harness.ts'

const KILLS = 20
const CLI = path.resolve(import.meta.dirname, '../../main/cli.ts')
const SEARCH =
  'search --data shapes --seed 11 --workers 2 --set evolution.maxSeconds=0 --set evolution.maxTrained=60 ' +
  '--set evolution.population=15 --set evolution.inFlight=5 --set evolution.rerank.count=6'

/** The command line in a process group of its own, with real workers that take 25 ms a candidate. */
const start = (folder: string, log: string, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args, '--data-folder', folder], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      NORMFORGE_EVALUATOR: STAND_IN,
      NORMFORGE_STANDIN_LOG: log,
      NORMFORGE_STANDIN_MS: '25',
    },
  })

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve))

const linesOf = (log: string): string[] =>
  existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []

/** What the store holds: the search there is, its history, and "<fingerprint> <purpose>" of each settled training. */
const look = (db: Database) => {
  const search: Search | undefined = listSearches(db)[0]
  const history = search ? historyOf(db, search.id) : []
  const settled = history.flatMap(({ fingerprint, evaluations, duplicateOf }) =>
    duplicateOf === null ? evaluations.map(({ purpose }) => `${fingerprint} ${purpose}`) : [],
  )
  return { search, history, settled: new Set(settled) }
}

test(`killed at ${KILLS} random moments, a search ends with the history of one left alone`, async (t) => {
  const folder = temporaryFolder(t)
  const log = path.join(folder, 'evaluations')
  const random = createRandom('kill', 4)
  // Opened once and for all: the moments are counted in it.
  const db = openStore(folder)
  t.after(() => db.close())
  const trainings = (): number =>
    Number(db.get('SELECT count(DISTINCT number || purpose) AS n FROM evaluations')!['n'])
  // Moments spread over baselines, search and re-ranking: after so many trainings, and some milliseconds.
  const total = 4 + 60 + 6
  const moments = Array.from({ length: KILLS }, () => random.below(total - 1)).sort((a, b) => a - b)
  const killed = { search: 0, rerank: 0 }
  /** Trainings that were settled at a kill, and how many evaluations had ended by then. */
  const marks: { settled: ReadonlySet<string>; lines: number }[] = []

  for (const moment of moments) {
    const { search } = look(db)
    const child = start(folder, log, search ? ['resume', search.id] : SEARCH.split(' '))
    t.after(() => child.kill('SIGKILL'))
    while (child.exitCode === null && trainings() < moment) await sleep(2)
    await sleep(random.below(25))
    assert.equal(child.exitCode, null, 'the search was over before the last kill')
    // Either everything at once, as when the system ends the group, or the program alone, which its workers follow.
    process.kill(random.below(2) === 0 ? -child.pid! : child.pid!, 'SIGKILL')
    await ended(child)
    const now = look(db)
    marks.push({ settled: now.settled, lines: linesOf(log).length })
    if (now.search) killed[now.search.stage === 'rerank' ? 'rerank' : 'search'] += 1
  }
  assert.ok(killed.search >= 10 && killed.rerank >= 1, `kills by stage: ${JSON.stringify(killed)}`)

  const last = start(folder, log, ['resume', look(db).search!.id])
  assert.equal(await ended(last), 0)
  const { search, history } = look(db)
  assert.equal(search!.state, 'done')

  const undisturbed = openBench(t, { workers: 3 })
  const other = await runToEnd(undisturbed, search!.config)
  assert.deepEqual(history, historyOf(undisturbed.db, other.id))

  const lines = linesOf(log).map((line) => line.split(' ').slice(0, 2).join(' '))
  for (const { settled, lines: before } of marks)
    for (const evaluated of lines.slice(before))
      assert.ok(!settled.has(evaluated), `${evaluated} was settled, and evaluated again`)
})
