/**
 * Copies of the store, made before each migration into `backups` beside it and kept, the newest few. A damaged store is
 * never removed: it is put aside when a backup takes its place.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Backup = {
  readonly file: string
  /** ISO, to the second, UTC. */
  readonly time: string
  readonly schema: number
}

const KEPT = 3
const NAME = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-schema(\d+)\.sqlite$/

const folderOf = (path: string): string => join(dirname(path), 'backups')
/** Now, as file names have it. */
const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-')

/** Newest first. */
export const backupsOf = (path: string): Backup[] => {
  const folder = folderOf(path)
  const names = existsSync(folder) ? readdirSync(folder).sort().reverse() : []
  return names.flatMap((name) => {
    const [, day, hours, minutes, seconds, schema] = NAME.exec(name) ?? []
    if (day === undefined) return []
    return [
      { file: join(folder, name), time: `${day}T${hours}:${minutes}:${seconds}Z`, schema: Number(schema) },
    ]
  })
}

/** Copies the store as it was last committed. Whole or not there: written under a temporary name and renamed. */
export const backUp = (path: string, schema: number): void => {
  const folder = folderOf(path)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.tmp')) rmSync(join(folder, name))
  const file = join(folder, `${stamp()}-schema${schema}.sqlite`)
  const temporary = `${file}.tmp`
  const source = new DatabaseSync(path, { readOnly: true })
  try {
    source.prepare('VACUUM INTO ?').run(temporary)
    // SQLite leaves this to the system.
    sync(temporary)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    source.close()
  }
  const others = backupsOf(path).filter((backup) => backup.file !== file)
  for (const old of others.slice(KEPT - 1)) rmSync(old.file, { force: true })
}

const sync = (file: string): void => {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** What SQLite finds wrong with an open database, in a line; null: nothing. Reads all of it, 0.2 s for 100,000 candidates. */
export const damageIn = (db: DatabaseSync): string | null => {
  const found = String(Object.values(db.prepare('PRAGMA quick_check(1)').get()!)[0])
  // A heading, then the fault.
  return found === 'ok' ? null : found.split('\n').at(-1)!
}

const isWhole = (file: string): boolean => {
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      return damageIn(db) === null
    } finally {
      db.close()
    }
  } catch {
    return false
  }
}

/** The newest backup that is whole itself. */
export const wholeBackup = (path: string): Backup | null =>
  backupsOf(path).find(({ file }) => isWhole(file)) ?? null

/** Puts a copy of the backup in the store's place. Returns where the store is kept that was there. */
export const restore = (path: string, { file }: Backup): string => {
  const copy = `${path}.restored`
  copyFileSync(file, copy)
  sync(copy)
  const aside = `${path}.damaged-${stamp()}`
  for (const part of ['', '-wal', '-shm', '-journal'])
    if (existsSync(path + part)) renameSync(path + part, aside + part)
  renameSync(copy, path)
  return aside
}
