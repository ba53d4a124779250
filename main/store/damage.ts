import { backupsOf } from './backup.ts'
import { StoreError } from './errors.ts'

/** The error of a store that is torn or was written over. */
export const damaged = (path: string, what: string, cause?: unknown): StoreError =>
  new StoreError(`store: ${path} ${what}; ${cure(path)}`, { damaged: true, cause })

/** What SQLite says of such a file (SQLITE_CORRUPT, SQLITE_NOTADB). */
const DAMAGE = [11, 26]

/** The error of a damaged store; null for an error of another kind. */
export const damageOf = (error: unknown, path: string): StoreError | null => {
  const code = (error as { errcode?: number } | null)?.errcode
  if (code === undefined || !DAMAGE.includes(code & 0xff)) return null
  return damaged(path, `is damaged (${(error as Error).message})`, error)
}

const cure = (path: string): string => {
  const [newest] = backupsOf(path)
  return newest
    ? `"npm run cli -- restore" puts the backup of ${newest.time} in its place, or move it away to begin anew`
    : 'put back a copy of it, or move it away to begin anew'
}
