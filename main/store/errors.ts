import { backupsOf } from './backup.ts'

/** A store that can't be used, with what to do about it; the file is left as it was. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** Whether the file itself is broken, so that a backup can take its place. */
  readonly damaged: boolean

  constructor(message: string, { damaged = false, cause }: { damaged?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.damaged = damaged
  }
}

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

export const ELSEWHERE = 'move it away, or choose another data folder (NORMFORGE_DATA)'
