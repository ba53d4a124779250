import type { Level, Log } from './log.ts'
import type { Child, Spawn } from './process.ts'

/** Lines by which a traced process tells of its ops: thousands a second, read elsewhere (signals.ts). */
const TRACE = /\}\} = |Process node: |Synchronous kernel done/
/** TensorFlow's letters of a line's gravity. */
const GRAVITY: Readonly<Record<string, Level>> = { E: 'error', F: 'error', W: 'warning', I: 'debug' }

const levelOf = (line: string): Level => {
  const letter = /^([EFWI])\d{4} /.exec(line)?.[1]
  return letter === undefined ? 'info' : GRAVITY[letter]!
}

/** Writes what becomes of each process that is started, and what it says, into a log. */
export const logging =
  (spawn: Spawn, log: Log): Spawn =>
  (...args) => {
    const child = spawn(...args)
    const write = (level: Level, text: string): void =>
      log.write(level, `worker ${child.pid ?? '-'}: ${text}`)
    write('info', 'started')
    watch(child, write)
    let killed = false
    child.onExit((code, signal) => {
      const how = signal ?? (code === null ? 'no start' : `exit code ${code}`)
      if (killed || code === 0) write('info', 'ended, as the program asked')
      else write('error', `ended with ${how}; the op last started: ${child.lastOp() ?? 'not traced'}`)
    })
    return {
      ...child,
      send: (message) => {
        write('debug', `task ${message.task}: ${message.kind}`)
        child.send(message)
      },
      kill: () => {
        killed = true
        child.kill()
      },
    }
  }

const watch = (child: Child, write: (level: Level, text: string) => void): void => {
  child.onMessage((message) => {
    if (message.kind === 'ready') {
      const facts = Object.entries(message.facts).map(([name, value]) => `${name} ${value}`)
      write('info', `ready: ${facts.join(', ')}`)
      for (const note of message.notes ?? []) write('warning', note)
    } else if (message.kind === 'broken') write('error', `can't start: ${message.message}`)
    else if (message.kind === 'error') write('error', `task ${message.task}: ${message.message}`)
  })
  let carried = ''
  child.onWords?.((text) => {
    const lines = (carried + text).split('\n')
    carried = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '' && !TRACE.test(line)) write(levelOf(line), line)
  })
}
