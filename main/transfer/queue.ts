import {
  LeaseLost,
  TRANSFERS,
  acquireLease,
  beatLease,
  createHolder,
  fenced,
  releaseLease,
} from '../store/leases.ts'
import { UnreadableError } from '../../shared/records/record.ts'
import { unreadableText } from '../../shared/records/unreadable.ts'
import type { TransferRun } from '../../shared/transfer.ts'
import type { Database } from '../store/database.ts'
import { getPromotion, setPromotion } from '../store/promotions.ts'
import {
  advanceRun,
  askedFor,
  failRun,
  finishRun,
  getRun,
  isRun,
  isWanted,
  requeueRuns,
  runGraph,
  runsInLine,
  startRun,
} from '../store/runs.ts'
import type { Pool, TransferOutcome } from '../workers/pool.ts'
import type { Folders } from './folders.ts'
import { Watch } from './watch.ts'

export type QueueOptions = {
  readonly db: Database
  readonly pool: Pick<Pool, 'transfer'>
  readonly folders: Folders
  /** How many runs may be under way now. */
  readonly room: () => number
}

type Under = { readonly controller: AbortController; readonly ended: Promise<void> }

const LOOK_MS = 1000
const BEAT_MS = 2000
/** After an error that is not a run's (a full disk, say), nothing is begun for so long. */
const REST_MS = 30_000

/**
 * Does the runs that promotions in line ask for. The store says what is wanted, by whichever process it was asked; what
 * is under way is made to agree with it at every look. One process at a time does so for a store: the others only look,
 * until it is gone.
 */
export class Queue {
  readonly #options: QueueOptions
  readonly #holder = createHolder()
  readonly #under = new Map<string, Under>()
  readonly #timers: readonly NodeJS.Timeout[]
  #leased = false
  #closed = false
  #restUntil = 0

  constructor(options: QueueOptions) {
    this.#options = options
    this.#timers = [setInterval(() => this.wake(), LOOK_MS), setInterval(() => this.#beat(), BEAT_MS)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Looks at what is wanted now. */
  wake(): void {
    if (!this.#closed && performance.now() >= this.#restUntil) this.#attempt(() => this.#look())
  }

  /** Whether a run is under way in this process. */
  has(key: string): boolean {
    return this.#under.has(key)
  }

  #look(): void {
    const { db, room } = this.#options
    if (this.#under.size === 0 && runsInLine(db).length === 0) return this.#release()
    if (!this.#lease()) return
    // Read under the lease: until it was had, another process may have finished what was in line.
    const line = runsInLine(db)
    const wanted = new Set(line.map(({ key }) => key))
    for (const [key, { controller }] of this.#under) if (!wanted.has(key)) controller.abort()
    const places = room()
    // Those that began last have the least to lose; all go on from a checkpoint.
    for (const { controller } of [...this.#under.values()].slice(places)) controller.abort()
    for (const { key, state, promotion } of line)
      if (state === 'queued' && !this.#under.has(key) && this.#under.size < places)
        this.#start(key, promotion)
  }

  /** Ends all work; what was under way goes on at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    const ends = [...this.#under.values()].map(({ controller, ended }) => {
      controller.abort()
      return ended
    })
    await Promise.all(ends)
    this.#attempt(() => this.#release())
  }

  #lease(): boolean {
    const { db, folders } = this.#options
    if (this.#leased) return true
    try {
      db.write(() => {
        acquireLease(db, TRANSFERS, this.#holder)
        // Whoever had them under way is gone.
        requeueRuns(db)
      })
    } catch (error) {
      if (error instanceof LeaseLost) return false
      throw error
    }
    this.#leased = true
    folders.sweep((key) => isRun(db, key))
    return true
  }

  #release(): void {
    if (this.#leased) releaseLease(this.#options.db, TRANSFERS, this.#holder)
    this.#leased = false
  }

  #beat(): void {
    if (this.#leased) this.#write(() => beatLease(this.#options.db, TRANSFERS, this.#holder))
  }

  /** What only the holder of the lease may write. */
  #write(action: () => void): void {
    this.#attempt(() => fenced(this.#options.db, TRANSFERS, this.#holder, action))
  }

  /** When the store can't be written, or another process took over, nothing goes on here; it can from a checkpoint. */
  #attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (error instanceof LeaseLost) this.#leased = false
      else {
        process.emitWarning(`transfers rest for a while: ${String(error)}`)
        this.#restUntil = performance.now() + REST_MS
      }
      for (const { controller } of this.#under.values()) controller.abort()
    }
  }

  #start(key: string, promotion: string): void {
    const { db, folders } = this.#options
    let run: TransferRun
    try {
      const { config } = getPromotion(db, promotion)!
      const { seed } = getRun(db, key)!
      run = { graph: runGraph(db, key), config, seed, folder: folders.open(key) }
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      // Out of the line, so that those behind it go on.
      return setPromotion(db, promotion, 'failed', unreadableText(error.message))
    }
    const controller = new AbortController()
    const ended = this.#run(key, run, controller.signal).finally(() => {
      this.#under.delete(key)
      this.wake()
    })
    this.#under.set(key, { controller, ended })
  }

  async #run(key: string, run: TransferRun, signal: AbortSignal): Promise<void> {
    const { db, pool } = this.#options
    const watch = new Watch(getRun(db, key)!)
    const outcome = await pool.transfer({
      run,
      key,
      signal,
      onStart: () => {
        watch.start()
        this.#write(() => startRun(db, key))
      },
      onProgress: (progress) => {
        const news = watch.see(progress)
        if (news && !signal.aborted) this.#write(() => advanceRun(db, key, news))
      },
    })
    this.#write(() => this.#settle(key, outcome, watch))
  }

  #settle(key: string, outcome: TransferOutcome, watch: Watch): void {
    const { db, folders } = this.#options
    // What was cancelled meanwhile leaves nothing behind.
    if (!isWanted(db, key)) return folders.remove(key)
    if (outcome.kind === 'result') return finishRun(db, key, outcome.result)
    if (outcome.kind === 'failure') return failRun(db, key, outcome.failure)
    advanceRun(db, key, { ...watch.now(), point: null })
    requeueRuns(db, key)
    if (outcome.kind === 'environment')
      for (const id of askedFor(db, key)) setPromotion(db, id, 'failed', outcome.message)
  }
}
