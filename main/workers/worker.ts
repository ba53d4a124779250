import type { WorkerStatus } from '../../shared/contract.ts'
import type { Child } from './process.ts'
import type { FromWorker, News, ToWorker } from './protocol.ts'
import { signalText } from './signals.ts'

/** How a worker's task ended, apart from its answer. */
export type Ending =
  | { readonly kind: 'answer'; readonly message: FromWorker }
  /** The process is gone, with the task if it had one. */
  | {
      readonly kind: 'gone'
      readonly cause: string
      readonly trace: string
      readonly ready: boolean
      /** What ended it, when it was not the pool. */
      readonly signal: string | null
    }

type Watch = {
  readonly task: number
  since: number
  readonly seconds: number
}
type Options = {
  readonly child: Child
  readonly startSeconds: number
  readonly silenceSeconds: number
  readonly residentBytes: number
  readonly onReady: (facts: Readonly<Record<string, string>>) => void
  readonly onNews: (news: News) => void
  readonly onEnd: (ending: Ending) => void
}

const CHECK_MS = 250
/** A check that comes so late was held up: the machine slept, or this process was busy. */
const LATE_MS = 2000

/** One worker process: watches its time, silence and memory, and ends it when one goes past its limit. */
export class Worker {
  readonly #options: Options
  readonly #timer: NodeJS.Timeout
  #ready = false
  #gone = false
  #started = performance.now()
  #heard = performance.now()
  #checked = performance.now()
  #resident: number | null = null
  #watch: Watch | null = null
  #news: News | null = null
  #notes: readonly string[] = []
  /** Why this process was ended by the pool; null when it ended by itself. */
  #cause: string | null = null
  #trace = ''
  tasks = 0

  constructor(options: Options) {
    this.#options = options
    options.child.onMessage((message) => this.#receive(message))
    options.child.onExit((code, signal) => this.#exited(code, signal))
    this.#timer = setInterval(() => this.#check(), CHECK_MS)
    this.#timer.unref()
  }

  get state(): WorkerStatus['state'] {
    if (this.#gone) return 'dead'
    if (!this.#ready) return 'starting'
    return this.#watch ? 'busy' : 'idle'
  }
  get residentBytes(): number | null {
    return this.#resident
  }
  /** What keeps it from being as quick as it could be. */
  get notes(): readonly string[] {
    return this.#notes
  }
  /** The latest of the task it works on. */
  get news(): News | null {
    return this.#news
  }
  /** Seconds of the task it works on. */
  get seconds(): number {
    return this.#watch ? (performance.now() - this.#watch.since) / 1000 : 0
  }

  /** Gives an idle worker its task, and how long it may take. */
  assign(message: ToWorker, seconds: number): void {
    if (this.state !== 'idle') throw new Error(`worker: needs to be idle, is ${this.state}`)
    this.#watch = { task: message.task, since: performance.now(), seconds }
    this.#heard = performance.now()
    this.#news = null
    this.tasks += 1
    this.#options.child.send(message)
  }

  /** Ends the process; `cause` is what its task is told. */
  end(cause: string): void {
    this.#cause ??= cause
    this.#options.child.kill()
  }

  #receive(message: FromWorker): void {
    if (this.#cause !== null) return
    this.#heard = performance.now()
    if (message.kind === 'ready') {
      this.#ready = true
      this.#notes = message.notes ?? []
      this.#options.onReady(message.facts)
    } else if (message.kind === 'broken') {
      this.#cause = message.message
      this.#trace = message.trace
    } else if (message.kind === 'beat') {
      this.#resident = message.residentBytes
      if (message.residentBytes > this.#options.residentBytes)
        this.end(
          `out of memory: ${gigabytes(message.residentBytes)} held, ${gigabytes(this.#options.residentBytes)} allowed`,
        )
    } else if (message.task === this.#watch?.task) {
      if (message.kind === 'progress' || message.kind === 'transferring') {
        this.#news = message
        this.#options.onNews(message)
      } else {
        this.#watch = null
        this.#news = null
        this.#options.onEnd({ kind: 'answer', message })
      }
    }
  }

  #check(): void {
    if (this.#gone || this.#cause !== null) return
    const now = performance.now()
    this.#excuse(now - this.#checked)
    this.#checked = now
    const { startSeconds, silenceSeconds } = this.#options
    const silent = (now - this.#heard) / 1000
    const starting = (now - this.#started) / 1000
    if (this.#watch && silent > silenceSeconds)
      this.end(`hangs: no sign for ${Math.round(silent)} s, ${silenceSeconds} s allowed`)
    else if (!this.#ready && starting > startSeconds)
      this.end(`not ready after ${Math.round(starting)} s, ${startSeconds} s allowed`)
    else if (this.#watch && this.seconds > this.#watch.seconds)
      this.end(`took too long: ${Math.round(this.seconds)} s, ${Math.round(this.#watch.seconds)} s allowed`)
  }

  // Time in which nothing could be heard is not counted against the worker.
  #excuse(late: number): void {
    if (late < LATE_MS) return
    this.#started += late
    this.#heard += late
    if (this.#watch) this.#watch.since += late
  }

  #exited(code: number | null, signal: string | null): void {
    clearInterval(this.#timer)
    this.#gone = true
    this.#watch = null
    const trace = this.#trace || this.#options.child.lastWords()
    this.#options.onEnd({
      kind: 'gone',
      cause: this.#cause ?? causeOf(code, signal, trace, this.#news, this.#options.child.lastOp()),
      trace,
      ready: this.#ready,
      signal: this.#cause === null ? signal : null,
    })
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GB`

const causeOf = (
  code: number | null,
  signal: string | null,
  trace: string,
  news: News | null,
  op: string | null,
): string => {
  if (/heap out of memory|bad_alloc|OOM when allocating/i.test(trace))
    return 'out of memory: an allocation failed'
  if (signal !== null) return signalText(signal, news, op)
  if (code === null) return `could not be started: ${trace.split('\n')[0]}`
  return `ended with exit code ${code}`
}
