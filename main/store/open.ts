import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MIGRATIONS } from './schema.ts'

/** "NFRG" in ASCII: marks an SQLite file as a store of this program. */
const APPLICATION = 0x4e465247
const BUSY_MS = 10_000

/** A store that can't be used; the file is left as it was. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/**
 * Opens the store at `path`, making or migrating it as needed. Several processes may open one store. Throws a
 * StoreError for a foreign, damaged or newer file, without touching it.
 */
export const openDatabase = (path: string, migrations: readonly string[] = MIGRATIONS): DatabaseSync => {
  mkdirSync(dirname(path), { recursive: true })
  const fresh = checkHeader(path, migrations.length)
  let db: DatabaseSync | null = null
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true })
    migrate(db, path, migrations)
    patiently(() => db!.exec('PRAGMA journal_mode = WAL'))
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
    return db
  } catch (error) {
    db?.close()
    if (error instanceof StoreError) throw error
    throw new StoreError(
      `store: ${path} can't be ${fresh ? 'made' : 'opened'}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

// Read by hand, since SQLite may already write (recover a log) when it opens a file that is none of ours.
const checkHeader = (path: string, newest: number): boolean => {
  if (!existsSync(path)) return true
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return true
    const header = Buffer.alloc(100)
    const got = readSync(file, header, 0, 100, 0)
    if (got < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
      throw new StoreError(`store: ${path} is not a store: needed an SQLite file, got ${kindOf(header, got)}`)
    const application = header.readUInt32BE(68)
    const version = header.readUInt32BE(60)
    // A store whose making was killed has neither mark yet, and a journal from which SQLite undoes the rest.
    const unfinished = header.readUInt32BE(28) <= 1 || existsSync(`${path}-journal`)
    if (application === 0 && version === 0 && unfinished) return true
    if (application !== APPLICATION)
      throw new StoreError(
        `store: ${path} belongs to another program: needed application id ${APPLICATION}, got ${application}`,
      )
    if (version > newest) throw newer(path, newest, version)
    const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
    const needed = pageSize * header.readUInt32BE(28)
    if (size < needed && !existsSync(`${path}-wal`))
      throw new StoreError(`store: ${path} is cut short: needed ${needed} bytes, got ${size}`)
    return false
  } finally {
    closeSync(file)
  }
}

const kindOf = (header: Buffer, bytes: number): string =>
  `${bytes} bytes that begin ${JSON.stringify(header.toString('latin1', 0, Math.min(bytes, 12)))}`

const newer = (path: string, newest: number, version: number): StoreError =>
  new StoreError(
    `store: ${path} was made by a newer version of this program: needed version ${newest} at most, got ${version}`,
  )

const migrate = (db: DatabaseSync, path: string, migrations: readonly string[]): void => {
  const versionOf = (): number => Number(Object.values(db.prepare('PRAGMA user_version').get()!)[0])
  if (versionOf() > migrations.length) throw newer(path, migrations.length, versionOf())
  if (versionOf() === migrations.length) return
  patiently(() => db.exec('BEGIN IMMEDIATE'))
  try {
    // Asked again inside: another process may have come first.
    for (let version = versionOf(); version < migrations.length; version++) db.exec(migrations[version]!)
    db.exec(`PRAGMA user_version = ${migrations.length}; PRAGMA application_id = ${APPLICATION}`)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** The busy timeout does not cover every lock (a change of the journal's mode): tries again for a while. */
const patiently = (action: () => void): void => {
  const until = Date.now() + BUSY_MS
  for (;;) {
    try {
      action()
      return
    } catch (error) {
      if (!/locked|busy/i.test(String(error)) || Date.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
