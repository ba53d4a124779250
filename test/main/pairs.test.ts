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

const run = async (folder: string, program: Program, seed: number, clock = false): Promise<void> => {
  const options = [
    '--disable-warning=ExperimentalWarning',
    ...(clock ? ['--import', `${import.meta.dirname}/clock.ts`] : []),
  ]
  const child = spawn(process.execPath, [...options, ...PROGRAMS[program](folder, seed)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      NORMFORGE_EVALUATOR: STAND_IN,
      NORMFORGE_STANDIN_LOG: path.join(folder, 'log'),
      NORMFORGE_STANDIN_MS: '20',
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
  const log = path.join(folder, 'log')
  const ends = existsSync(log)
    ? readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => / to \d/.test(line))
    : []
  const runs = Number(db.get('SELECT count(*) AS n FROM transfer_runs')!['n'])
  assert.equal(ends.length, runs, 'no run was done twice')
}

const names = Object.keys(PROGRAMS) as Program[]
const pairs = names.flatMap((one, i) => names.slice(i).map((other) => [one, other] as const))
const work = (pair: readonly Program[], ...of: Program[]): number =>
  pair.filter((program) => of.includes(program)).length

describe('two programs on one data folder', { concurrency: 2 }, () => {
  for (const pair of pairs)
    test(`${pair[0]} beside ${pair[1]}: each does all of its work, once`, async (t) => {
      const folder = dataFolder()
      await Promise.all(pair.map((program, i) => run(folder, program, 1 + i)))
      await requireAll(t, folder, work(pair, 'host', 'search'), work(pair, 'host', 'transfer'))
    })

  test('one of them with a clock that is set back an hour in the midst of it', async (t) => {
    const folder = dataFolder()
    await Promise.all([
      run(folder, 'host', 1, true),
      run(folder, 'search', 2),
      run(folder, 'transfer', 3, true),
    ])
    await requireAll(t, folder, 2, 2)
  })
})
