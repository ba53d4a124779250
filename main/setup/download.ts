import type { SpawnOptions } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { runQuietly, sayBytes } from './process.mjs'

export type Download = {
  /** What the progress line calls it. */
  readonly label: string
  readonly program: string
  readonly args: readonly string[]
  /** Folders in which bytes arrive: what lies there is how far it got. */
  readonly folders: readonly string[]
  /** How many bytes it will be, where that is known. */
  readonly bytes?: number | null
  /** Without another byte for so long, it is given up. */
  readonly patienceSeconds: number
  readonly options?: SpawnOptions
}

const LOOK_MS = 500

const bytesIn = (folder: string): number => {
  if (!fs.existsSync(folder)) return 0
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const found = fs.statSync(path.join(folder, name), { throwIfNoEntry: false })
    return sum + (found?.isFile() ? found.size : 0)
  }, 0)
}

/** Runs a program that downloads, and shows the bytes on a terminal. Gives its exit code and last words. */
export const download = async ({ label, program, args, folders, ...how }: Download) => {
  const stalled = new AbortController()
  let seen = 0
  let since = performance.now()
  const watch = setInterval(() => {
    const now = folders.reduce((sum, folder) => sum + bytesIn(folder), 0)
    if (now !== seen) since = performance.now()
    seen = now
    if (performance.now() - since > how.patienceSeconds * 1000) stalled.abort()
    sayBytes(label, now, how.bytes ?? null)
  }, LOOK_MS)
  const result = await runQuietly(program, [...args], { ...how.options, signal: stalled.signal })
  clearInterval(watch)
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  return stalled.signal.aborted ? { code: 124, output: `nothing came for ${how.patienceSeconds} s` } : result
}
