import { setImmediate as nextTurn } from 'node:timers/promises'
import { fingerprint } from '../../shared/canonical.ts'
import { addCandidate, entry, judge, setAlive } from '../store/candidates.ts'
import { baselinesTrained } from '../store/summary.ts'
import { addTaken } from '../store/taken.ts'
import type { Failures } from './failures.ts'
import type { History } from './history.ts'
import { scoreTask } from './task.ts'
import type { Context, Scores, Trainings } from './trainings.ts'

/** Longest stretch of proposing without a turn for anything else: static rejections come in thousands a second. */
const SLICE_MS = 12

/** What the search can't go on without: a turn for the others, the result of a number, any result, or nothing (the end). */
type Need =
  | { readonly kind: 'turn' }
  | { readonly kind: 'result'; readonly of: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'end' }

/** Candidates in flight for so many workers: a few wait for the next worker that is free, however long the way to it. */
export const inFlightFor = (workers: number): number => workers + Math.ceil(workers / 4) + 1

/**
 * The loop propose, judge, record. Rules that make the history the same whatever the timing: a candidate is
 * proposed when there is room in flight; only when there is none, the oldest in flight is committed, and waited
 * for if need be; an equal to a baseline waits for the baseline's result. An asynchronous search takes every result as it
 * comes, before it proposes more, and records that it did.
 */
export class Search {
  readonly #context: Context
  readonly #trainings: Trainings
  readonly #failures: Failures
  readonly #history: History
  #next: number
  /** Running seconds when the search proper began, once that is known. */
  #began: number | null = null
  #closed = false
  /** Results that came and are not taken yet, in an asynchronous search. */
  readonly #arrived: { readonly number: number; readonly scores: Scores }[] = []
  #wake: () => void = () => undefined

  /** `next`: number of the next candidate. */
  constructor(context: Context, trainings: Trainings, failures: Failures, history: History, next: number) {
    this.#context = context
    this.#trainings = trainings
    this.#failures = failures
    this.#history = history
    this.#next = next
    for (const number of history.inFlight) this.#await(number)
  }

  /** Whether all proposals are made: nothing can be put in any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** Proposes until the budget is used up. Throws the controller's reason when aborted. */
  async propose(): Promise<void> {
    for (;;) {
      this.#context.controller.signal.throwIfAborted()
      const need = this.#slice()
      if (need.kind === 'end') break
      if (need.kind === 'turn') await nextTurn()
      else if (need.kind === 'any') await this.#arrival()
      else await this.#receive(need.of)
    }
    this.#closed = true
  }

  /** Commits what is in flight, in order. */
  async drain(): Promise<void> {
    this.#closed = true
    if (this.#asynchronous)
      while (this.#history.oldest !== null) {
        await this.#arrival()
        this.#record((writes) => this.#takeArrived(writes))
      }
    for (let oldest = this.#history.oldest; oldest !== null; oldest = this.#history.oldest)
      await this.#receive(oldest)
  }

  get #asynchronous(): boolean {
    return this.#history.config.evolution.asynchronous === true
  }

  /** Resolves when a result is there to be taken; rejects when the search ends before. */
  async #arrival(): Promise<void> {
    const { signal } = this.#context.controller
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (this.#arrived.length > 0 || signal.aborted) resolve()
    })
    signal.throwIfAborted()
  }

  #await(number: number): void {
    if (!this.#asynchronous) return
    this.#trainings.result(number).then(
      (scores) => {
        this.#arrived.push({ number, scores })
        this.#wake()
      },
      // The controller tells of it.
      () => undefined,
    )
  }

  #takeArrived(writes: (() => void)[]): void {
    const { db, key } = this.#context
    for (const { number, scores } of this.#arrived.splice(0)) {
      const change = this.#history.commit(number, scores)
      const before = this.#next
      writes.push(() => {
        addTaken(db, key, { number, before })
        setAlive(db, key, change)
      })
    }
  }

  async #receive(number: number): Promise<void> {
    const scores = await this.#trainings.result(number)
    if (this.#history.awaits(number)) return this.#history.settleBaseline(number, scores)
    const change = this.#history.commit(number, scores)
    const { db, key, journal } = this.#context
    if (change.entered.length + change.left.length > 0) journal.write(() => setAlive(db, key, change))
  }

  /** Some candidates, recorded in one transaction: a crash leaves all of them or none. */
  #slice(): Need {
    const until = performance.now() + SLICE_MS
    const starts: (() => void)[] = []
    const need = this.#record((writes) => {
      let need: Need | null = null
      while (need === null)
        need = this.#one(writes, starts) ?? (performance.now() < until ? null : { kind: 'turn' })
      return need
    })
    for (const start of starts) start()
    return need
  }

  /** What `action` wants to be written, in one transaction. */
  #record<T>(action: (writes: (() => void)[]) => T): T {
    const writes: (() => void)[] = []
    const result = action(writes)
    if (writes.length > 0)
      this.#context.journal.write(() => {
        for (const write of writes) write()
      })
    return result
  }

  #one(writes: (() => void)[], starts: (() => void)[]): Need | null {
    const { db, key, journal, pool } = this.#context
    const history = this.#history
    if (this.#asynchronous) {
      this.#takeArrived(writes)
      if (history.isFull(inFlightFor(pool.count))) return { kind: 'any' }
    } else if (history.isFull()) return { kind: 'result', of: history.oldest! }
    const number = this.#next
    const inserted = entry(db, key, number)
    if (!inserted && this.#spent) return { kind: 'end' }

    const { graph, origin } = inserted ?? history.propose(number)
    const verdict = history.judge(graph)
    // Proposed again when the result is there, by the same chance.
    if (verdict.kind === 'duplicate' && history.awaits(verdict.of)) return { kind: 'result', of: verdict.of }
    const candidate = {
      number,
      role: 'candidate',
      graph,
      fingerprint: fingerprint(graph),
      origin,
      verdict,
    } as const
    const change = history.take(candidate)
    this.#next += 1
    const atSeconds = journal.seconds
    writes.push(() => {
      if (inserted) judge(db, key, number, verdict, atSeconds)
      else addCandidate(db, key, { ...candidate, atSeconds })
      setAlive(db, key, change)
    })
    if (verdict.kind === 'train')
      starts.push(() => {
        this.#trainings.train(number, scoreTask(history.config, graph, 'candidate'), this.#failures)
        this.#await(number)
      })
    return null
  }

  get #spent(): boolean {
    const { maxTrained, maxSeconds } = this.#history.config.evolution
    const enough = maxTrained > 0 && this.#history.trained >= maxTrained
    return enough || (maxSeconds > 0 && this.#seconds >= maxSeconds)
  }

  /** Seconds of searching: counted from the last baseline's end, so that a slow machine searches as long as a quick one. */
  get #seconds(): number {
    const { db, key, journal } = this.#context
    this.#began ??= baselinesTrained(db, key)
    return this.#began === null ? 0 : journal.seconds - this.#began
  }
}
