/** A store that can't be used, with what to do about it; the file is left as it was. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** What SQLite says of a file that is torn or was written over (SQLITE_CORRUPT, SQLITE_NOTADB). */
const DAMAGE = [11, 26]

/** The error of a damaged store; null for an error of another kind. */
export const damageOf = (error: unknown, path: string): StoreError | null => {
  const code = (error as { errcode?: number } | null)?.errcode
  if (code === undefined || !DAMAGE.includes(code & 0xff)) return null
  return new StoreError(`store: ${path} is damaged (${(error as Error).message}): ${RESTORE}`, {
    cause: error,
  })
}

export const RESTORE = 'put back a copy of it, or move it away to begin anew'
export const ELSEWHERE = 'move it away, or choose another data folder (NORMFORGE_DATA)'
