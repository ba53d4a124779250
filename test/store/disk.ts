/** Runs `strokes.ts` on a disk that fails at its n-th change (see disk.c), and looks at what it left. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { backupsOf } from '../../main/store/backup.ts'
import { Database } from '../../main/store/database.ts'
import { storePath } from '../../main/store/folder.ts'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { openStore } from '../../main/store/store.ts'

export type DiskEvent = 'kill' | 'torn' | 'full'

/** Puts a kept store of an older schema into a folder. */
export const unpackSample = (folder: string, schema: number): void => {
  mkdirSync(folder, { recursive: true })
  const file = join(import.meta.dirname, 'samples', `schema-${schema}.sqlite.gz`)
  if (!existsSync(file))
    throw new Error(`needs a kept store of schema ${schema}: node test/store/sample.ts makes the newest`)
  writeFileSync(storePath(folder), gunzipSync(readFileSync(file)))
}

/** The library of disk.c, compiled into a folder; a string says why it can't be had here. */
export const diskLibrary = (folder: string): { readonly library: string } | string => {
  if (platform() !== 'linux') return 'needs Linux, which lets a library stand before the system’s'
  const library = join(folder, 'disk.so')
  const source = join(import.meta.dirname, 'disk.c')
  const { status, stderr, error } = spawnSync('cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    library,
    source,
    '-ldl',
  ])
  return status === 0 ? { library } : `needs a C compiler: ${error ? 'cc is missing' : String(stderr)}`
}

export type Ended = {
  readonly signal: string | null
  readonly code: number | null
  readonly lines: readonly string[]
}

/** `at`: null for a disk on which all goes well. */
export const runStrokes = async (
  folder: string,
  library: string,
  event: DiskEvent,
  at: number | null,
  countFile?: string,
): Promise<Ended> => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'strokes.ts'), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        LD_PRELOAD: library,
        DISK_FOLDER: folder,
        DISK_EVENT: event,
        ...(at === null ? {} : { DISK_AT: String(at) }),
        ...(countFile ? { DISK_COUNT: countFile } : {}),
      },
    },
  )
  let out = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, lines: out.split('\n').filter(Boolean) }
}

/** How many changes an undisturbed run makes. */
export const countChanges = async (folder: string, library: string): Promise<number> => {
  const file = `${folder}.count`
  const { code, lines } = await runStrokes(folder, library, 'kill', null, file)
  assert.deepEqual([code, lines.filter((line) => line.startsWith('refused'))], [0, []])
  assert.match(lines.at(-1)!, /^close /)
  return Number(readFileSync(file, 'utf8'))
}

const COUNTED = {
  search: "searches WHERE name = 'a search'",
  candidate: `candidates c JOIN searches s ON s.key = c.search WHERE s.name = 'a search' AND role = 'candidate'`,
  settled: `candidates c JOIN searches s ON s.key = c.search WHERE s.name = 'a search' AND role = 'candidate' AND status = 'scored'`,
  state: "searches WHERE name = 'a search' AND state = 'paused'",
  promotion: 'promotions WHERE layer LIKE \'%"mine"%\'',
  finished:
    "transfer_runs r JOIN promotion_runs ON run = r.key JOIN promotions p ON p.key = promotion WHERE p.layer LIKE '%\"mine\"%' AND r.state = 'done'",
} as const

const countOf = (db: Database, what: string): number =>
  Number(db.get(`SELECT count(*) AS count FROM ${what}`)!['count'])

/** All that was told as written is there, at most one write more, and no write in part. */
export const requireKept = (folder: string, { lines }: Ended, mostMore: 0 | 1): void => {
  const db = openStore(folder)
  try {
    assert.deepEqual(
      db.all('PRAGMA integrity_check').map((row) => row['integrity_check']),
      ['ok'],
    )
    assert.deepEqual(db.all('PRAGMA foreign_key_check'), [])
    const told = Object.keys(COUNTED).map(
      (what) => lines.filter((line) => line.startsWith(`${what} `)).length,
    )
    const found = Object.values(COUNTED).map((what) => countOf(db, what))
    const more = found.reduce((sum, count, i) => sum + count - told[i]!, 0)
    for (const [i, count] of found.entries())
      assert.ok(count >= told[i]!, `${Object.keys(COUNTED)[i]}: ${told} told, ${found} found`)
    assert.ok(more <= mostMore, `${told} told, ${found} found`)
    assert.equal(
      countOf(db, `evaluations e JOIN searches s ON s.key = e.search WHERE s.name = 'a search'`),
      3 * found[2]!,
    )
  } finally {
    db.close()
  }
}

/** The older store is whole under the newest schema, and so is its backup where it was brought up to date. */
export const requireMigrated = (folder: string, candidates: number): void => {
  const db = openStore(folder)
  try {
    assert.equal(db.get('PRAGMA user_version')!['user_version'], MIGRATIONS.length)
    assert.equal(countOf(db, 'candidates WHERE search = 1'), candidates)
    assert.ok(backupsOf(storePath(folder)).length > 0)
    for (const { file, schema } of backupsOf(storePath(folder))) {
      const backup = new Database(new DatabaseSync(file, { readOnly: true }))
      assert.equal(schema, 1)
      assert.equal(countOf(backup, 'candidates WHERE search = 1'), candidates)
      assert.equal(backup.get('PRAGMA quick_check')!['quick_check'], 'ok')
      backup.close()
    }
  } finally {
    db.close()
  }
}
