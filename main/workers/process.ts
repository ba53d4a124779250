import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromWorker, ToWorker } from './protocol.ts'
import { followOps } from './signals.ts'

/** A running worker process. */
export type Child = {
  readonly pid: number | undefined
  send(message: ToWorker): void
  /** At once, without a chance to clean up: nothing in it is worth keeping. */
  kill(): void
  onMessage(listener: (message: FromWorker) => void): void
  onExit(listener: (code: number | null, signal: string | null) => void): void
  /** Told what it writes to stderr, as it comes. */
  onWords?(listener: (text: string) => void): void
  /** The last of what it wrote to stderr. */
  lastWords(): string
  /** The op it started last, where it was asked to trace them. */
  lastOp(): string | null
}

/** Starts `child.ts` with these arguments, and Node with those of its own. */
export type Spawn = (childFile: string, args: readonly string[], nodeArgs?: readonly string[]) => Child

/** The worker's program, to be started with the evaluator module's path and its options as JSON. */
export const CHILD_FILE = fileURLToPath(new URL('child.ts', import.meta.url))

const KEPT_CHARACTERS = 4000

/** Keeps the end of a stream of text, and the last op that it names. */
export const tail = (): { add(chunk: unknown): void; text(): string; op(): string | null } => {
  let kept = ''
  const ops = followOps()
  return {
    add: (chunk) => {
      const text = String(chunk)
      ops.add(text)
      kept = (kept + text).slice(-KEPT_CHARACTERS)
    },
    text: () => kept.trim(),
    op: ops.last,
  }
}

export const spawnNode: Spawn = (childFile, args, nodeArgs = []) => {
  try {
    return childOf(
      fork(childFile, [...args], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        execArgv: ['--disable-warning=ExperimentalWarning', ...nodeArgs],
      }),
    )
  } catch (error) {
    return stillborn(String(error))
  }
}

// Where the system is out of memory or processes, fork throws instead of telling later.
const stillborn = (words: string): Child => ({
  pid: undefined,
  send: () => undefined,
  kill: () => undefined,
  onMessage: () => undefined,
  onExit: (listener) => void setImmediate(() => listener(null, null)),
  lastWords: () => words,
  lastOp: () => null,
})

const childOf = (child: ChildProcess): Child => {
  const words = tail()
  child.stderr?.on('data', (chunk) => words.add(chunk))
  return {
    pid: child.pid,
    // A process that died meanwhile is told of by its exit.
    send: (message) => void child.send(message, () => undefined),
    kill: () => void child.kill('SIGKILL'),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    onExit: (listener) => {
      let told = false
      const tell = (code: number | null, signal: string | null): void => {
        if (!told) listener(code, signal)
        told = true
      }
      // 'close' comes when stderr is read to its end; an orphan of the worker may hold it open for ever.
      child.on('exit', (code, signal) => setTimeout(() => tell(code, signal), 500))
      child.on('close', tell)
      child.on('error', (error) => {
        words.add(error.message)
        tell(null, null)
      })
    },
    onWords: (listener) => void child.stderr?.on('data', (chunk) => listener(String(chunk))),
    lastWords: words.text,
    lastOp: words.op,
  }
}
