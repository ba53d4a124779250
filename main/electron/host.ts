/** Keeps the host process: starts it, starts it anew when it dies, ends it. The window itself does no work. */
import { spawn, type ChildProcess } from 'node:child_process'
import type { FromHost, ToHost } from '../desktop/messages.ts'

export type HostCommand = {
  /** A Node 24, and the host's program (main/serve.ts). */
  readonly node: string
  readonly program: string
  readonly args: readonly string[]
}

export type Host = {
  isReady(): boolean
  pid(): number | undefined
  send(message: ToHost): void
  /** Ends it and starts it with other arguments. */
  restart(args: readonly string[]): Promise<void>
  /** Ends it for good, by force where it takes too long. */
  end(): Promise<void>
}

export type HostListener = {
  message(message: FromHost): void
  /** It died, and is started anew in a moment. */
  lost(): void
  /** It died too often, one time soon after the other, with the last of what it wrote. */
  hopeless(lastWords: string): void
}

/** What is at work has so long to end, milliseconds. */
const ENDING_MS = 4500
/** A host that lives so long has begun well. */
const WELL_MS = 20_000
const MOST_DEATHS = 3
const KEPT_CHARACTERS = 4000

export const keepHost = ({ node, program, args: first }: HostCommand, listener: HostListener): Host => {
  let args = first
  let child: ChildProcess | null = null
  let ready = false
  let wanted = true
  let deaths = 0

  const start = (): void => {
    const begun = Date.now()
    let words = ''
    let failed = false
    ready = false
    const started = spawn(node, ['--disable-warning=ExperimentalWarning', program, '--desktop', ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      windowsHide: true,
    })
    child = started
    started.stderr!.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      words = (words + chunk.toString()).slice(-KEPT_CHARACTERS)
    })
    started.on('message', (message: FromHost) => {
      if (child !== started) return
      if (message.kind === 'ready') ready = true
      if (message.kind === 'failed') failed = true
      listener.message(message)
    })
    const gone = (): void => {
      if (child !== started) return
      child = null
      ready = false
      if (!wanted) return
      listener.lost()
      // It has said itself why it can't begin.
      if (failed) return
      deaths = Date.now() - begun > WELL_MS ? 1 : deaths + 1
      if (deaths >= MOST_DEATHS) listener.hopeless(words.trim())
      else setTimeout(() => wanted && !child && start(), 200 * deaths)
    }
    started.on('exit', gone)
    started.on('error', (error) => {
      words += error.message
      gone()
    })
  }
  const send = (message: ToHost): void => {
    // One that dies meanwhile is told of by its exit.
    if (child?.connected) child.send(message, () => undefined)
  }
  const end = async (): Promise<void> => {
    wanted = false
    const ending = child
    if (!ending) return
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => ending.kill('SIGKILL'), ENDING_MS)
      ending.once('exit', () => {
        clearTimeout(force)
        resolve()
      })
      send({ kind: 'end' })
    })
  }
  start()
  return {
    isReady: () => ready,
    pid: () => child?.pid,
    send,
    end,
    restart: async (others) => {
      await end()
      listener.lost()
      args = others
      deaths = 0
      wanted = true
      start()
    },
  }
}
