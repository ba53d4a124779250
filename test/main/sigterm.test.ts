import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { storePath } from '../../main/store/folder.ts'
import { leaseHolder, TRANSFERS } from '../../main/store/leases.ts'
import { listPromotions } from '../../main/store/promotions.ts'
import { keyOf, listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { diskLibrary, unpackSample } from '../store/disk.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { dataFolder, until } from './stand-in-app.ts'

const PROGRAM = path.resolve(import.meta.dirname, '../../main')
const SEARCH = [
  `${PROGRAM}/cli.ts`,
  ...'search --data shapes --workers 2 --set evolution.maxSeconds=0 --set evolution.maxTrained=12 --set evolution.rerank.count=2'.split(
    ' ',
  ),
]
const TRANSFER = [
  `${PROGRAM}/cli.ts`,
  ...'transfer --layer EvoNorm-B0 --task synthesis --data shapes --workers 2 --set training.steps=60 --set checkpointEvery=20 --set seeds=1'.split(
    ' ',
  ),
]
const MOST_MS = 5000

/** Ids of the living processes of a group. */
const groupOf = (group: number): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const [, state, , of] = /^\d+ \(.*\) (\S) (\d+) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!
      return Number(of) === group && state !== 'Z' ? [Number(pid)] : []
    } catch {
      return []
    }
  })

type Case = {
  readonly folder: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
  /** Waits for the moment, given what the program printed so far; null: the signal comes by itself. */
  readonly moment: ((printed: () => string, log: () => string, group: number) => Promise<void>) | null
  /** To all processes of the program, as a service manager does. */
  readonly group?: boolean
}

/** What became of a program that got a SIGTERM; it and all its workers are gone in time. */
const terminate = async ({ folder, args, env = {}, moment, group = false }: Case) => {
  const log = path.join(folder, 'log')
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...args,
      ...(args.includes(folder) ? [] : ['--data-folder', folder]),
    ],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NORMFORGE_EVALUATOR: STAND_IN,
        NORMFORGE_STANDIN_LOG: log,
        NORMFORGE_STANDIN_MS: '5',
        ...env,
      },
    },
  )
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)))
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  try {
    if (moment) {
      await moment(
        () => printed,
        () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
        child.pid!,
      )
      process.kill(group ? -child.pid! : child.pid!, 'SIGTERM')
    }
    const started = performance.now()
    const [code, signal] = await ended
    await until('the workers to end', () => groupOf(child.pid!).length === 0)
    const took = performance.now() - started
    if (moment) assert.ok(took < MOST_MS, `${Math.round(took)} ms`)
    return { code, signal, printed, took }
  } finally {
    for (const pid of groupOf(child.pid!)) process.kill(pid, 'SIGKILL')
  }
}

/** States of searches and promotions; nothing is under way, nobody holds a lease. */
const left = (folder: string): string[] => {
  const db = openStore(folder)
  try {
    const keys = [TRANSFERS, ...listSearches(db).map(({ id }) => keyOf(db, id))]
    assert.deepEqual(
      keys.map((key) => leaseHolder(db, key)),
      keys.map(() => null),
    )
    assert.equal(Number(db.get("SELECT count(*) AS n FROM candidates WHERE status = 'failed'")!['n']), 0)
    return [
      ...listSearches(db).map(({ state, stage }) => `search ${state} in ${stage}`),
      ...listPromotions(db).map(({ state }) => `promotion ${state}`),
    ]
  } finally {
    db.close()
  }
}

const printing = (text: string) => (printed: () => string) => until(text, () => printed().includes(text))
const logging = (text: string) => (_: unknown, log: () => string) => until(text, () => log().includes(text))

describe(
  'SIGTERM',
  { concurrency: 2, skip: process.platform !== 'linux' && 'needs Linux, which shows groups' },
  () => {
    for (const milliseconds of [20, 120, 300])
      test(`while the program loads, after ${milliseconds} ms: nothing is half-made`, async () => {
        const folder = dataFolder()
        await terminate({ folder, args: SEARCH, moment: async () => sleep(milliseconds) })
        if (existsSync(storePath(folder))) left(folder)
      })

    test('while an older store is brought up to date: it is, or it is as it was', async (t) => {
      const place = dataFolder()
      const built = diskLibrary(place)
      if (typeof built === 'string') return t.skip(built)
      for (const at of [3, 30, 60]) {
        const folder = path.join(place, String(at))
        unpackSample(folder, 2)
        const env = {
          LD_PRELOAD: built.library,
          DISK_FOLDER: folder,
          DISK_AT: String(at),
          DISK_EVENT: 'term',
        }
        const { signal } = await terminate({ folder, args: SEARCH, env, moment: null })
        assert.equal(signal, 'SIGTERM', `at change ${at}`)
        assert.deepEqual(left(folder), ['search running in search', 'search done in finished'])
      }
    })

    test('while the machine is measured', async () => {
      const folder = dataFolder()
      const { code, took } = await terminate({
        folder,
        args: [path.join(import.meta.dirname, 'measuring.ts'), folder],
        env: { NORMFORGE_STANDIN_MS: '60000', NORMFORGE_CACHE: folder },
        moment: async (printed) => {
          await printing('measuring')(printed)
          await sleep(500)
        },
      })
      assert.equal(code, 130, `after ${took} ms`)
      assert.deepEqual(left(folder), ['search paused in baselines'])
    })

    test('while the workers start, and while they hang', async () => {
      for (const faults of ['{"start":"endless"}', '{"*":"hang"}']) {
        const folder = dataFolder()
        const { code } = await terminate({
          folder,
          args: SEARCH,
          env: { NORMFORGE_STANDIN_FAULTS: faults },
          moment: async (printed) => {
            await printing('baselines 0 of')(printed)
            await sleep(500)
          },
        })
        assert.equal(code, 130)
        assert.deepEqual(left(folder), ['search paused in baselines'])
      }
    })

    test('while a search is at work, sent to the program alone or to its workers as well', async () => {
      for (const group of [false, true]) {
        const folder = dataFolder()
        const env = { NORMFORGE_STANDIN_MS: '150' }
        const { code } = await terminate({ folder, args: SEARCH, env, group, moment: printing('search |') })
        assert.equal(code, 130)
        assert.deepEqual(left(folder), ['search paused in search'])
      }
    })

    test('while it re-ranks', async () => {
      const folder = dataFolder()
      const env = { NORMFORGE_STANDIN_MS: '600' }
      const { code } = await terminate({ folder, args: SEARCH, env, moment: printing('rerank |') })
      assert.equal(code, 130)
      assert.deepEqual(left(folder), ['search paused in rerank'])
    })

    test('while a transfer is at work', async () => {
      for (const group of [false, true]) {
        const folder = dataFolder()
        const env = { NORMFORGE_STANDIN_MS: '20000' }
        const { code } = await terminate({ folder, args: TRANSFER, env, group, moment: logging(' from ') })
        assert.equal(code, 130)
        assert.deepEqual(left(folder), ['promotion paused'])
      }
    })

    test('while one layer is trained', async () => {
      const folder = dataFolder()
      const args = [`${PROGRAM}/cli.ts`, ...'classify --layer EvoNorm-B0 --data shapes --steps 20'.split(' ')]
      const env = { NORMFORGE_STANDIN_FAULTS: '{"*":"endless"}' }
      const moment: Case['moment'] = (_, __, group) => until('the worker', () => groupOf(group).length > 1)
      const { code } = await terminate({ folder, args, env, moment })
      assert.equal(code, 130)
    })

    test('to the workbench at work on a search and a transfer: both go on at the next start', async () => {
      const folder = dataFolder()
      unpackSample(folder, 3)
      const args = [`${PROGRAM}/serve.ts`, '--no-open', '--workers', '2']
      const start = (milliseconds: string, moment: Case['moment']) =>
        terminate({ folder, args, env: { NORMFORGE_STANDIN_MS: milliseconds }, moment })
      const first = await start('1500', async (_, log) => {
        await until('a training and a run', () => log().includes(' from ') && log().includes(' score '))
      })
      assert.equal(first.code, 0, first.printed)
      const [search, done, ...promotions] = left(folder)
      assert.equal(search, 'search running in search')
      assert.equal(done, 'search done in finished')
      assert.equal(promotions.length, 2)
      const last = await start('1', async () => {
        const db = openStore(folder)
        const over = () =>
          listSearches(db).every(({ state }) => state === 'done') &&
          listPromotions(db).every(({ state }) => state === 'done')
        await until('the end of all', over)
        db.close()
      })
      assert.equal(last.code, 0, last.printed)
      assert.deepEqual(left(folder), [
        'search done in finished',
        'search done in finished',
        'promotion done',
        'promotion done',
      ])
    })
  },
)
