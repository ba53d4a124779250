/**
 * `npm run test:long -- kills`: the workbench, at work on searches and transfers, is killed at random moments again and
 * again, all of it or the main process alone. Nothing that was settled at a kill may be lost or done twice, and what comes
 * out at last must be what comes out undisturbed.
 *
 *   --kills N     how many (default 1000)
 *   --engine      searches with real trainings instead of the stand-in's answers; no transfers
 *   --minutes N   no more kills after so long (default: no limit)
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createRunner } from '../../main/search/runner.ts'
import type { Database } from '../../main/store/database.ts'
import { listPromotions } from '../../main/store/promotions.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { runGraph } from '../../main/store/runs.ts'
import { transferFolders } from '../../main/transfer/folders.ts'
import { NO_SEARCH, transferDetail } from '../../main/transfer/summary.ts'
import { createPool } from '../../main/workers/pool.ts'
import { ENGINE } from '../../main/workshop.ts'
import { createRandom, type Random } from '../../shared/random.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { shortSearch, until } from '../main/stand-in-app.ts'
import { historyOf, smallConfig } from '../search/harness.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import type { Work } from './host.ts'

const STAND_IN_MS = '12'
/**
 * After the work has begun, kills come within so long: with the engine long enough for its worker to start and for some
 * evaluations to end. A part of them comes while the program starts.
 */
const [MOST_MS, ENGINE_MOST_MS, STARTING_PART, START_MS] = [700, 20_000, 0.15, 400]

const standInWork: Work = {
  config: smallConfig({ maxTrained: 120, population: 20, inFlight: 4, rerank: { count: 6, steps: 400 } }),
  transfers: true,
  workers: 2,
}
/** Real networks, for a few steps each. */
const engineWork = (): Work => {
  const { architectures, training, data, rejection, ...config } = shortSearch({
    maxTrained: 8,
    inFlight: 2,
    initialSize: 4,
    population: 6,
  })
  return {
    config: {
      ...config,
      baselines: ['BN-ReLU', 'EvoNorm-S0'],
      architectures: architectures.slice(0, 1),
      data: { ...data, trainingImages: 256, validationImages: 64 },
      training: { ...training, steps: 12 },
      rejection: { ...rejection, quality: { ...rejection.quality, steps: 4, minAccuracy: 0 } },
      evolution: { ...config.evolution, rerank: { count: 2, steps: 20 } },
    },
    transfers: false,
    workers: 1,
  }
}

const start = (folder: string, log: string, work: Work, evaluator: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      path.join(import.meta.dirname, 'host.ts'),
      folder,
      JSON.stringify(work),
    ],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: `${folder}.compiled`,
        NORMFORGE_EVALUATOR: evaluator,
        NORMFORGE_STANDIN_LOG: log,
        NORMFORGE_STANDIN_MS: STAND_IN_MS,
      },
    },
  )

/** Waits for a moment by chance, and kills the whole group or the main process alone, whose workers follow. */
const kill = async (child: ChildProcess, random: Random, mostMs: number): Promise<'starting' | 'at work'> => {
  const starting = random.next() < STARTING_PART
  if (starting) await sleep(random.below(START_MS))
  else {
    await once(child.stdout!, 'data')
    await sleep(random.below(mostMs))
  }
  assert.equal(child.exitCode, null, 'the program ended by itself')
  process.kill(random.below(2) === 0 ? -child.pid! : child.pid!, 'SIGKILL')
  await once(child, 'exit')
  return starting ? 'starting' : 'at work'
}

const text = (value: unknown): string => JSON.stringify(value)

/** Everything that is settled, each as the text that it must keep. */
const settledIn = (db: Database): Map<string, string> => {
  const found = new Map<string, string>()
  const columns = 'search, number, fingerprint, origin, status, scores, rejection, duplicate_of'
  for (const row of db.all(
    `SELECT ${columns} FROM candidates c JOIN layers USING (search, number) WHERE status NOT IN ('queued', 'running')`,
  ))
    // A duplicate of one that is still trained gets its scores with it.
    found.set(
      `candidate ${row['search']} ${row['number']}`,
      text(row['status'] === 'duplicate' ? { ...row, scores: null } : row),
    )
  for (const row of db.all('SELECT search, number, purpose, record FROM evaluations ORDER BY key')) {
    const { architecture } = JSON.parse(String(row['record'])) as { architecture: unknown }
    const key = `evaluation ${row['search']} ${row['number']} ${row['purpose']} ${text(architecture)}`
    assert.ok(!found.has(key), `${key} is there twice`)
    found.set(key, text(row['record']))
  }
  for (const row of db.all("SELECT key, result FROM transfer_runs WHERE state = 'done'"))
    found.set(`run ${row['key']}`, text(row['result']))
  return found
}

const linesOf = (log: string): string[] =>
  existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []

const requireWhole = (db: Database): void => {
  assert.deepEqual(
    db.all('PRAGMA integrity_check').map((row) => row['integrity_check']),
    ['ok'],
  )
  assert.deepEqual(db.all('PRAGMA foreign_key_check'), [])
}

/** The search as it comes out undisturbed, in this process. */
const alone = async (config: SearchConfig, evaluator: string): Promise<unknown> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-long-'))
  const db = openStore(folder)
  process.env['NORMFORGE_STANDIN_MS'] = '0'
  const pool = createPool({ evaluator, count: 1 })
  const runner = createRunner({ db, pool })
  try {
    const { id, state } = await runner.ended(runner.create({ name: 'alone', config }).id)
    assert.equal(state, 'done')
    return historyOf(db, id)
  } finally {
    await runner.close()
    pool.close()
    db.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A training's own seconds differ from one time to the next. */
const timeless = (history: unknown): unknown =>
  JSON.parse(JSON.stringify(history, (key, value: unknown) => (key === 'seconds' ? 0 : value)))

export const kills = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '1000' },
      engine: { type: 'boolean', default: false },
      minutes: { type: 'string' },
    },
  })
  const [most, minutes] = [Number(values.kills), Number(values.minutes ?? Infinity)]
  const [work, evaluator, mostMs] = values.engine
    ? [engineWork(), ENGINE, ENGINE_MOST_MS]
    : [standInWork, STAND_IN, MOST_MS]
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-kills-'))
  const log = path.join(folder, 'log')
  const random = createRandom('kills', Date.now())
  const began = performance.now()
  const moments = { starting: 0, 'at work': 0 }
  let settled = new Map<string, string>()
  let done = 0
  let again = 0
  const late = (): boolean => (performance.now() - began) / 60_000 > minutes

  while (done < most && !late()) {
    const before = linesOf(log).length
    moments[await kill(start(folder, log, work, evaluator), random, mostMs)] += 1
    done += 1
    const db = openStore(folder)
    const now = settledIn(db)
    for (const [key, value] of settled)
      assert.equal(now.get(key), value, `${key}, settled before, is lost or another`)
    // What was settled before this start is not evaluated again after it.
    for (const line of linesOf(log).slice(before)) if (isSettled(db, settled, line)) again += 1
    settled = now
    requireWhole(db)
    db.close()
    if (done % (values.engine ? 10 : 50) === 0)
      console.log(`${done} kills: ${settled.size} settled, ${minutesSince(began)} min`)
  }

  // To the end of what is begun, with nothing new after it.
  const last = start(folder, log, work, evaluator)
  const db = openStore(folder)
  const { length: searches } = listSearches(db)
  const { length: promotions } = listPromotions(db)
  await until(
    'the end of all that was begun',
    () =>
      listSearches(db)
        .slice(-searches)
        .every(({ state }) => state === 'done') &&
      listPromotions(db)
        .slice(0, promotions)
        .every(({ state }) => state === 'done'),
    1800,
  )
  process.kill(-last.pid!, 'SIGKILL')
  await once(last, 'exit')
  requireWhole(db)
  for (const { id, config } of listSearches(db).slice(-searches))
    assert.deepEqual(
      timeless(historyOf(db, id)),
      timeless(await alone(config, evaluator)),
      `search ${config.seed}`,
    )
  let runs = 0
  for (const { id, config } of listPromotions(db).slice(0, promotions))
    for (const { run, curve } of transferDetail(db, transferFolders(folder), id, NO_SEARCH)!.runs) {
      const { curve: expected, ...result } = transferAnswer({
        graph: runGraph(db, run.key),
        config,
        seed: run.seed,
      })
      assert.deepEqual([run.result, curve], [result, expected])
      runs += 1
    }
  assert.equal(again, 0, 'evaluations of what was settled')
  db.close()
  rmSync(folder, { recursive: true, force: true })
  rmSync(`${folder}.compiled`, { recursive: true, force: true })
  console.log(
    `${done} kills (${moments.starting} while starting), ${minutesSince(began)} min: ${searches} searches and ${runs} runs of ` +
      `${promotions} transfers as undisturbed; ${settled.size} settled results, 0 lost, 0 doubled`,
  )
}

const minutesSince = (began: number): string => ((performance.now() - began) / 60_000).toFixed(1)

/** Whether a line of the stand-in's log is about a candidate of the running search, or a run, that was settled before. */
const isSettled = (db: Database, settled: ReadonlyMap<string, string>, line: string): boolean => {
  const [print, what, step] = line.split(' ')
  if (step === 'to' || step === 'from') {
    const run = db.get(
      'SELECT key FROM transfer_runs WHERE fingerprint = ? AND seed = ?',
      print!,
      Number(what),
    )
    return run !== undefined && settled.has(`run ${run['key']}`)
  }
  const [newest] = listSearches(db)
  const row = newest
    ? db.get(
        'SELECT c.search, number FROM candidates c JOIN searches s ON s.key = c.search WHERE s.id = ? AND fingerprint = ? AND dispatched = 1',
        newest.id,
        print!,
      )
    : undefined
  return (
    row !== undefined &&
    [...settled.keys()].some((key) => key.startsWith(`evaluation ${row['search']} ${row['number']} ${what} `))
  )
}
