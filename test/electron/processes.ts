/** What Linux says of running processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** The processes that one started, and those that they did. */
export const processesBelow = (pid: number): number[] => {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...processesBelow(child)])
}

/** TCP ports, in hexadecimal, that a process listens on. */
export const listening = (pid: number): string[] => {
  const sockets = new Set<string>()
  try {
    for (const handle of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${handle}`))?.[1]
      if (inode) sockets.add(inode)
    }
  } catch {
    // It has ended, or closed one meanwhile.
  }
  return ['tcp', 'tcp6'].flatMap((table) =>
    read(`/proc/net/${table}`)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // 0A: listening.
      .filter((columns) => columns[3] === '0A' && sockets.has(columns[9] ?? ''))
      .map((columns) => `${pid}: ${columns[1]}`),
  )
}
