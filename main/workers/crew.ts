import type { WorkerStatus } from '../../shared/contract.ts'
import type { Limits } from './limits.ts'
import type { Child } from './process.ts'
import { isNativeCrash } from './signals.ts'
import { Slot } from './slot.ts'
import { ATTEMPTS, type Work } from './work.ts'
import { Worker, type Ending } from './worker.ts'

type CrewOptions = {
  readonly limits: Limits
  /** Starts a worker process, which traces its ops where that is asked. */
  readonly spawn: (traceOps: boolean) => Child
  readonly onFacts: (facts: Readonly<Record<string, string>>) => void
  readonly onChange: () => void
  /** Told when a worker met an instruction that the processor doesn't have. */
  readonly onIllegalInstruction: () => void
}
type Gone = Extract<Ending, { kind: 'gone' }>

const IDLE_CHECK_MS = 1000

/** The worker processes and what waits for one: they are started when there is work, and kept warm. */
export class Crew {
  readonly #options: CrewOptions
  #limits: Limits
  readonly #slots: Slot[]
  readonly #queue: Work[] = []
  #tasks = 0
  #failedStarts = 0
  #state: 'open' | 'paused' | 'closed' = 'open'
  readonly #idle: NodeJS.Timeout

  constructor(count: number, options: CrewOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#slots = slots(count)
    this.#idle = setInterval(() => this.#retireIdle(), IDLE_CHECK_MS)
    this.#idle.unref()
  }

  /** Whether work other than questions waits. */
  get hasWaitingWork(): boolean {
    return this.#queue.some(({ question }) => !question)
  }

  /** Puts work at the queue's end, or a question at its front; `pump` starts it. */
  add(work: Work): void {
    if (work.question) this.#queue.unshift(work)
    else this.#queue.push(work)
  }

  /** Takes work out of the queue, or ends the process that is at it. */
  abandon(work: Work): void {
    const position = this.#queue.indexOf(work)
    if (position >= 0) this.#queue.splice(position, 1)
    const slot = this.#slots.find((slot) => slot.holds(work))
    slot?.release()
    slot?.retire()
    work.cancel()
    // Later: what else is abandoned with it would be taken for work that needs a process now.
    queueMicrotask(() => this.pump())
  }

  /** Starts nothing until `resume`; what is under way goes on. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused'
  }

  /** Goes on with so many new workers; those under way finish their work and are not replaced. */
  resume(count: number, limits: Limits): void {
    if (this.#state === 'closed') return
    this.#state = 'open'
    this.#limits = limits
    for (const slot of this.#slots.splice(0)) {
      if (slot.current) this.#slots.push(Object.assign(slot, { spare: true }))
      else slot.retire()
    }
    this.#slots.unshift(...slots(count))
    this.pump()
  }

  /** Hands work to idle workers, and starts the processes that the rest of the queue needs. */
  pump(): void {
    if (this.#state !== 'open') return
    for (const slot of this.#slots) if (slot.worker?.state === 'idle') this.#assign(slot)
    this.#dismissSpares()
    let starting = this.#slots.filter(({ worker }) => worker?.state === 'starting').length
    for (const slot of this.#slots)
      if (slot.worker === null && starting < this.#queue.length) {
        this.#start(slot)
        starting += 1
      }
    // A question that all workers are too busy for gets one of its own.
    if (starting === 0 && this.#queue.some(({ question }) => question)) {
      const slot = new Slot({ spare: true })
      this.#slots.push(slot)
      this.#start(slot)
    }
    this.#options.onChange()
  }

  status(): WorkerStatus[] {
    return this.#slots.map((slot, i) => slot.status(i))
  }

  /** Ends every process and cancels all work. */
  close(): void {
    this.#state = 'closed'
    clearInterval(this.#idle)
    for (const slot of this.#slots) {
      slot.retire()
      slot.release()?.cancel()
    }
    for (const work of this.#queue.splice(0)) work.cancel()
  }

  #assign(slot: Slot): void {
    const next = slot.spare ? this.#queue.findIndex(({ question }) => question) : 0
    const work = slot.retry ?? (next < 0 ? undefined : this.#queue.splice(next, 1)[0])
    slot.retry = null
    if (!work) return
    slot.current = work
    slot.worker!.assign(work.message((this.#tasks += 1)), work.seconds)
    work.onStart()
  }

  #dismissSpares(): void {
    for (const slot of this.#slots.filter(({ spare }) => spare))
      if (!slot.current && slot.worker?.state !== 'starting') {
        slot.retire()
        this.#slots.splice(this.#slots.indexOf(slot), 1)
      }
  }

  #start(slot: Slot): void {
    const { startSeconds, silenceSeconds, residentBytes } = this.#limits
    slot.dead = false
    slot.traced = slot.retry !== null
    const worker = new Worker({
      child: this.#options.spawn(slot.traced),
      startSeconds,
      silenceSeconds,
      residentBytes,
      onReady: (facts) => {
        this.#failedStarts = 0
        slot.idleSince = performance.now()
        this.#options.onFacts(facts)
        this.pump()
      },
      onNews: (news) => {
        slot.current?.onNews(news)
        this.#options.onChange()
      },
      onEnd: (ending) => {
        if (slot.worker === worker) this.#ended(slot, worker, ending)
      },
    })
    slot.worker = worker
  }

  #ended(slot: Slot, worker: Worker, ending: Ending): void {
    const current = slot.current
    slot.current = null
    slot.idleSince = performance.now()
    if (ending.kind === 'gone') this.#lost(slot, ending)
    else if (slot.traced || this.#isWorn(worker)) slot.retire()
    if (current?.onEnd(ending)) {
      if (ending.kind === 'gone' && isNativeCrash(ending.signal) && !slot.spare) {
        slot.retry = current
        this.#start(slot)
      } else this.#queue.unshift(current)
    }
    this.pump()
  }

  #isWorn({ tasks, residentBytes }: Worker): boolean {
    return tasks >= this.#limits.recycleTasks || (residentBytes ?? 0) > this.#limits.recycleBytes
  }

  #lost(slot: Slot, ending: Gone): void {
    slot.worker = null
    slot.dead = true
    slot.failures += 1
    if (ending.signal === 'SIGILL') this.#options.onIllegalInstruction()
    if (ending.ready) return
    if (slot.retry) this.#queue.unshift(slot.retry)
    slot.retry = null
    this.#startFailed(slot, ending)
  }

  // A runtime that does not load will not load the next time either: whoever waits for it is told.
  #startFailed({ spare }: Slot, ending: Gone): void {
    this.#failedStarts += 1
    if (this.#failedStarts < ATTEMPTS) return
    this.#failedStarts = 0
    const cause = `worker processes can't start: ${ending.cause}`
    for (const work of this.#queue.splice(0)) {
      if (spare && !work.question) this.#queue.push(work)
      else work.onEnd({ ...ending, cause })
    }
  }

  #retireIdle(): void {
    const since = performance.now() - this.#limits.idleSeconds * 1000
    const idling = this.#slots.filter(
      ({ worker, idleSince }) => worker?.state === 'idle' && idleSince < since,
    )
    for (const slot of idling) slot.retire()
    if (idling.length > 0) this.#options.onChange()
  }
}

const slots = (count: number): Slot[] => Array.from({ length: count }, () => new Slot({ spare: false }))
