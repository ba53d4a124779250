import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { eventsSince, newestSeq } from '../../main/store/events.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { transferFolders } from '../../main/transfer/folders.ts'
import { NO_SEARCH, transferDetail, transferSummaries } from '../../main/transfer/summary.ts'
import { historyOf, openBench, quickPool, runToEnd } from '../search/harness.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { dataFolder } from './stand-in-app.ts'

const CLI = path.resolve(import.meta.dirname, '../../main/cli.ts')
const words = (text: string): string[] => text.split(' ')

/** The programs that may use a data folder at once; each does work of its own, by its seed. */
const PROGRAMS = {
  host: (folder: string, seed: number) => [path.join(import.meta.dirname, 'host.ts'), folder, String(seed)],
  search: (folder: string, seed: number) => [
    CLI,
    ...words(
      `search --data shapes --workers 2 --seed ${seed} --set evolution.maxSeconds=0 --set evolution.maxTrained=12`,
    ),
    '--data-folder',
    folder,
  ],
  transfer: (folder: string, seed: number) => [
    CLI,
    ...words(
      `transfer --layer EvoNorm-S0 --task synthesis --data shapes --workers 2 --seed ${seed} --set seeds=1`,
    ),
    ...words(
      '--set training.steps=60 --set evaluateEvery=20 --set checkpointEvery=10 --set baselines=["BN-ReLU"]',
    ),
    '--data-folder',
    folder,
  ],
  list: (folder: string) => [CLI, 'list', '--data-folder', folder],
} as const
type Program = keyof typeof PROGRAMS

const run = async (folder: string, program: Program, seed: number, backAt?: number): Promise<void> => {
  const options = [
    '--disable-warning=ExperimentalWarning',
    ...(backAt ? ['--import', `${import.meta.dirname}/clock.ts`] : []),
  ]
  const child = spawn(process.execPath, [...options, ...PROGRAMS[program](folder, seed)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      NORMFORGE_EVALUATOR: STAND_IN,
      NORMFORGE_STANDIN_LOG: path.join(folder, 'log'),
      NORMFORGE_STANDIN_MS: '20',
      ...(backAt ? { NORMFORGE_CLOCK_BACK_AT: String(backAt) } : {}),
    },
  })
  let err = ''
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `${program}: ${err}`)
}

/** Everything is done, whole and once, with the figures of work done alone. */
const requireAll = async (
  t: TestContext,
  folder: string,
  searches: number,
  promotions: number,
): Promise<void> => {
  const db = openStore(folder)
  t.after(() => db.close())
  assert.deepEqual(
    db.all('PRAGMA integrity_check').map((row) => row['integrity_check']),
    ['ok'],
  )
  assert.equal(Number(db.get('SELECT count(*) AS n FROM leases')!['n']), 0)
  assert.equal(eventsSince(db, 0, 1e6).next, newestSeq(db))
  const found = listSearches(db)
  assert.deepEqual(
    found.map(({ state }) => state),
    Array.from({ length: searches }, () => 'done'),
  )
  for (const { id, config } of found) {
    const alone = openBench(t, { pool: quickPool(1) })
    assert.deepEqual(historyOf(db, id), historyOf(alone.db, (await runToEnd(alone, config)).id))
  }
  const transfers = transferSummaries(db, NO_SEARCH)
  assert.deepEqual(
    transfers.map(({ promotion }) => promotion.state),
    Array.from({ length: promotions }, () => 'done'),
  )
  for (const { promotion } of transfers)
    for (const { run, curve } of transferDetail(db, transferFolders(folder), promotion.id, NO_SEARCH)!.runs) {
      const graph = JSON.parse(
        String(db.get('SELECT graph FROM transfer_runs WHERE key = ?', run.key)!['graph']),
      ) as Parameters<typeof transferAnswer>[0]['graph']
      const { curve: expected, ...result } = transferAnswer({
        graph,
        config: promotion.config,
        seed: run.seed,
      })
      assert.deepEqual([run.result, curve], [result, expected])
    }
  assert.deepEqual(db.all('SELECT run FROM written_again'), [], 'no run was done again once it was finished')
}

/** Notes each write to a run that is finished. */
const watchFinished = (folder: string): void => {
  const db = openStore(folder)
  db.run('CREATE TABLE written_again (run TEXT)')
  db.run(
    "CREATE TRIGGER written_again AFTER UPDATE ON transfer_runs WHEN OLD.state = 'done' " +
      'BEGIN INSERT INTO written_again VALUES (OLD.key); END',
  )
  db.close()
}

/**
 * No run that came to its last step is trained on. A program that ends may end a worker between its last step and the
 * store: the next program then takes the run from its last checkpoint, which is at that step, and only writes its result.
 */
const requireNoStepAgain = (log: string): void => {
  const ended = new Map<string, string>()
  for (const line of existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []) {
    const [print, seed, what, step] = line.split(' ')
    const run = `${print} ${seed}`
    if (what === 'from' && ended.has(run)) assert.equal(step, ended.get(run), `${run} was trained again`)
    if (what === 'to') ended.set(run, step!)
  }
}

const names = Object.keys(PROGRAMS) as Program[]
/** A list writes nothing: beside a host, it meets all that there is to meet. */
const pairs = names
  .flatMap((one, i) => names.slice(i).map((other) => [one, other] as const))
  .filter(([one, other]) => other !== 'list' || one === 'host')
const work = (pair: readonly Program[], ...of: Program[]): number =>
  pair.filter((program) => of.includes(program)).length

describe('two programs on one data folder', { concurrency: 2 }, () => {
  for (const pair of pairs)
    test(`${pair[0]} beside ${pair[1]}: each does all of its work, once`, async (t) => {
      const folder = dataFolder()
      watchFinished(folder)
      await Promise.all(pair.map((program, i) => run(folder, program, 1 + i)))
      await requireAll(t, folder, work(pair, 'host', 'search'), work(pair, 'host', 'transfer'))
      requireNoStepAgain(path.join(folder, 'log'))
    })

  test('with a clock that is set back an hour in the midst of it', async (t) => {
    const folder = dataFolder()
    watchFinished(folder)
    const backAt = Date.now() + 900
    await Promise.all([
      run(folder, 'host', 1, backAt),
      run(folder, 'search', 2, backAt),
      run(folder, 'transfer', 3, backAt),
    ])
    await requireAll(t, folder, 2, 2)
  })
})
