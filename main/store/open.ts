import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { diskSentence, makeFolder } from '../setup/disk.mjs'
import { backUp, damageIn } from './backup.ts'
import { damaged, damageOf } from './damage.ts'
import { ELSEWHERE, StoreError } from './errors.ts'
import { MIGRATIONS } from './schema.ts'

/** "NFRG" in ASCII: marks an SQLite file as a store of this program. */
const APPLICATION = 0x4e465247
const BUSY_MS = 10_000

/** `read`: nothing will be written, so that a store that can't be written will do. */
export type Access = 'write' | 'read'

/**
 * Opens the store at `path`, making or migrating it as needed. Several processes may open one store. Throws a
 * StoreError for a foreign, damaged or newer file, without touching it.
 */
export const openDatabase = (
  path: string,
  migrations: readonly string[] = MIGRATIONS,
  access: Access = 'write',
): DatabaseSync => {
  let db: DatabaseSync | null = null
  try {
    const obstacle = existsSync(path) ? obstacleToWriting(path) : null
    if (obstacle !== null && access === 'write')
      throw new StoreError(
        `store: ${path} can't be written (${obstacle}): what is in it can still be listed and shown; to search, ` +
          'make it and its folder writable, or choose another data folder (NORMFORGE_DATA)',
      )
    // For the user alone.
    makeFolder(dirname(path), 0o700)
    checkHeader(path, migrations.length)
    db = obstacle === null ? new DatabaseSync(path, OPTIONS) : openUnwritable(path)
    if (obstacle !== null) requireSchema(db, path, migrations.length)
    else {
      migrate(db, path, migrations)
      patiently(() => db!.exec('PRAGMA journal_mode = WAL'))
    }
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
    // Damage would otherwise come to light in the middle of something else.
    const damage = damageIn(db)
    if (damage !== null) throw damaged(path, `is damaged (${damage})`)
    return db
  } catch (error) {
    db?.close()
    if (error instanceof StoreError) throw error
    const reason = diskSentence(error) ?? (error instanceof Error ? error.message : String(error))
    throw (
      damageOf(error, path) ?? new StoreError(`store: ${path} can't be opened: ${reason}`, { cause: error })
    )
  }
}

const OPTIONS = { timeout: BUSY_MS, enableForeignKeyConstraints: true }

/** Why a store can't be written, as the system says it; null when it can. Its log is a file beside it. */
const obstacleToWriting = (path: string): string | null => {
  try {
    for (const place of [dirname(path), path]) accessSync(place, constants.W_OK)
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/** With its log, where there is one; else as a file that nobody changes, since no log can be made beside it. */
const openUnwritable = (path: string): DatabaseSync => {
  const address = pathToFileURL(path)
  if (!existsSync(`${path}-wal`)) address.searchParams.set('immutable', '1')
  return new DatabaseSync(address, { ...OPTIONS, readOnly: true })
}

const versionOf = (db: DatabaseSync): number =>
  Number(Object.values(db.prepare('PRAGMA user_version').get()!)[0])

const requireSchema = (db: DatabaseSync, path: string, newest: number): void => {
  const version = versionOf(db)
  if (version !== newest)
    throw new StoreError(
      `store: ${path} can't be written, and its schema is another: needed ${newest}, got ${version}; ` +
        'copy it to where it can be brought up to date, and choose that data folder (NORMFORGE_DATA)',
    )
}

// Read by hand, since SQLite may already write (recover a log) when it opens a file that is none of ours.
const checkHeader = (path: string, newest: number): void => {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return
    const header = Buffer.alloc(100)
    const got = readSync(file, header, 0, 100, 0)
    if (got < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
      throw new StoreError(
        `store: ${path} is not a store: needed an SQLite file, got ${kindOf(header, got)}; ${ELSEWHERE}`,
        { damaged: true },
      )
    const application = header.readUInt32BE(68)
    const version = header.readUInt32BE(60)
    // A store whose making was killed has neither mark yet, and a journal from which SQLite undoes the rest.
    const unfinished = header.readUInt32BE(28) <= 1 || existsSync(`${path}-journal`)
    if (application === 0 && version === 0 && unfinished) return
    if (application !== APPLICATION) throw foreign(path, `application id ${application}`)
    if (version > newest) throw newer(path, newest, version)
    const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
    const needed = pageSize * header.readUInt32BE(28)
    // What is missing may stand in the log, or be undone from the journal of a program that was killed.
    const mendable = existsSync(`${path}-wal`) || existsSync(`${path}-journal`)
    if (size < needed && !mendable) throw damaged(path, `is cut short: needed ${needed} bytes, got ${size}`)
  } finally {
    closeSync(file)
  }
}

const kindOf = (header: Buffer, bytes: number): string =>
  `${bytes} bytes that begin ${JSON.stringify(header.toString('latin1', 0, Math.min(bytes, 12)))}`

const newer = (path: string, newest: number, version: number): StoreError =>
  new StoreError(
    `store: ${path} was made by a newer version of this program: needed schema ${newest} at most, got ${version}; ` +
      'update the program, or choose another data folder (NORMFORGE_DATA)',
  )

const foreign = (path: string, got: string): StoreError =>
  new StoreError(
    `store: ${path} belongs to another program: needed application id ${APPLICATION}, got ${got}; ${ELSEWHERE}`,
  )

const migrate = (db: DatabaseSync, path: string, migrations: readonly string[]): void => {
  if (versionOf(db) > migrations.length) throw newer(path, migrations.length, versionOf(db))
  if (versionOf(db) === migrations.length) return
  patiently(() => db.exec('BEGIN IMMEDIATE'))
  try {
    // Asked again inside: another process may have come first, or the file be another program's, all in its log.
    const version = versionOf(db)
    const tables = db.prepare('SELECT name FROM sqlite_schema').all()
    if (version === 0 && tables.length > 0) throw foreign(path, `a table "${String(tables[0]!['name'])}"`)
    if (version > 0 && version < migrations.length) backUp(path, version)
    for (const migration of migrations.slice(version)) db.exec(migration)
    db.exec(`PRAGMA user_version = ${migrations.length}; PRAGMA application_id = ${APPLICATION}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** The busy timeout does not cover every lock (a change of the journal's mode): tries again for a while. */
const patiently = (action: () => void): void => {
  const until = performance.now() + BUSY_MS
  for (;;) {
    try {
      action()
      return
    } catch (error) {
      if (!/locked|busy/i.test(String(error)) || performance.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
