/** The workers' log: lines in a file that never grows past its limit; older ones are kept in a few more such files. */
import fs from 'node:fs'
import path from 'node:path'

export const LEVELS = ['error', 'warning', 'info', 'debug'] as const
export type Level = (typeof LEVELS)[number]
export type Log = { write(level: Level, text: string): void }

const NAME = 'workers'
const [MOST_BYTES, OLDER] = [2 ** 20, 3]
const LONGEST_LINE = 4000

/** Where a data folder has the workers' logs. */
export const logsIn = (dataFolder: string): string => path.join(dataFolder, 'logs')

/** The log's file, or the n-th older one. */
export const logFile = (folder: string, n = 0): string =>
  path.join(folder, n === 0 ? `${NAME}.log` : `${NAME}.${n}.log`)

/** What NORMFORGE_LOG asks for; `info` where it asks for no level that there is. */
const levelAsked = (): Level => LEVELS.find((level) => level === process.env.NORMFORGE_LOG) ?? 'info'

/** Writes whole lines at once, so that several programs can share the files. A disk that refuses costs the line, no more. */
export const openLog = (
  folder: string,
  { level = levelAsked(), mostBytes = MOST_BYTES }: { level?: Level; mostBytes?: number } = {},
): Log => {
  const file = logFile(folder)
  const makeRoom = (): void => {
    if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) < mostBytes) return
    for (let n = OLDER; n > 0; n--) {
      const from = logFile(folder, n - 1)
      if (fs.existsSync(from)) fs.renameSync(from, logFile(folder, n))
    }
  }
  return {
    write: (of, text) => {
      if (LEVELS.indexOf(of) > LEVELS.indexOf(level)) return
      const time = new Date().toISOString()
      const lines = text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => `${time} ${of.padEnd(7)} ${line.slice(0, LONGEST_LINE)}\n`)
      try {
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
        makeRoom()
        fs.appendFileSync(file, lines.join(''), { mode: 0o600 })
      } catch {
        // What a log says is also told where it matters: work never stops for it.
      }
    },
  }
}

/** The newest line of a level at least as grave, without its level; null where there is none in the newest file. */
export const lastLine = (folder: string, level: Level): string | null => {
  const file = logFile(folder)
  if (!fs.existsSync(file)) return null
  const grave = LEVELS.slice(0, LEVELS.indexOf(level) + 1)
  const line = fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .findLast((line) => grave.some((name) => line.split(' ')[1] === name))
  return line ?? null
}
