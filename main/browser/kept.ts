/** The port and key of the browser's workbench, kept between starts, so that its bookmarks and cookies stay good. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { madeCacheFolder } from '../setup/process.mjs'

export type Kept = { readonly port: number; readonly token: string }

/** The file for a data folder: two that are open at once have two ports. */
const fileOf = (dataFolder: string): string => {
  const key = createHash('sha256').update(path.resolve(dataFolder)).digest('hex').slice(0, 12)
  return path.join(madeCacheFolder(), `browser-${key}.json`)
}

/** What was kept; null where nothing was, or nothing that can be used. */
export const keptFor = (dataFolder: string): Kept | null => {
  try {
    const { port, token } = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8')) as Record<string, unknown>
    const whole = typeof token === 'string' && /^[\w-]{32}$/.test(token)
    return whole && Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536
      ? { port: Number(port), token }
      : null
  } catch {
    return null
  }
}

/** Keeps them, for the user's own eyes. */
export const keep = (dataFolder: string, kept: Kept): void => {
  const file = fileOf(dataFolder)
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 })
  renameSync(temporary, file)
}

export const newToken = (): string => randomBytes(24).toString('base64url')
