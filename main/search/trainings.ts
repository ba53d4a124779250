import type { EvaluationTask, Made } from '../../shared/records.ts'
import { startCandidate, type Settlement } from '../store/candidates.ts'
import type { Database } from '../store/database.ts'
import type { Pool } from '../workers/pool.ts'
import { EnvironmentError } from '../workers/protocol.ts'
import type { Failures } from './failures.ts'
import type { Journal } from './journal.ts'

/** A score per architecture; null for a layer that was rejected or failed. */
export type Scores = readonly number[] | null

/** What the parts of a running search share. */
export type Context = {
  readonly db: Database
  readonly key: number
  readonly id: string
  readonly pool: Pool
  readonly journal: Journal
  /** Aborted with the reason when the search is to end before its time. */
  readonly controller: AbortController
  /** Where and with what this process's own workers make results. */
  readonly made: () => Made
  /** Called inside the write that records a training's start. */
  readonly onStart: () => void
}
export type Settle = (
  db: Database,
  key: number,
  number: number,
  settlement: Settlement,
  atSeconds: number,
) => void

/** Trainings given to the pool; each result goes to the store as soon as it is there, in whatever order. */
export class Trainings {
  readonly #context: Context
  readonly #settle: Settle
  readonly #results = new Map<number, Promise<Scores>>()

  constructor(context: Context, settle: Settle) {
    this.#context = context
    this.#settle = settle
  }

  /** A result that the store has from before. */
  recall(number: number, scores: Scores): void {
    this.#results.set(number, Promise.resolve(scores))
  }

  /** Queues a training. Starts are in the order of the calls. */
  train(number: number, task: EvaluationTask, failures: Failures): void {
    const result = this.#run(number, task, failures)
    this.#results.set(number, result)
    // Who awaits the result hears of it; so does everyone through the controller.
    result.catch((error: unknown) => this.#context.controller.abort(error))
  }

  /** Rejects with the controller's reason when the search ends before the result is there. */
  result(number: number): Promise<Scores> {
    const result = this.#results.get(number)
    if (!result) throw new Error(`trainings: needs a candidate in training, got ${number}`)
    return result
  }

  /** Waits until no training is under way any more, whatever became of it. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#results.values())
  }

  async #run(number: number, task: EvaluationTask, failures: Failures): Promise<Scores> {
    const { db, key, id, pool, journal, controller } = this.#context
    const onStart = (): void => {
      try {
        journal.write(() => {
          startCandidate(db, key, number)
          this.#context.onStart()
        })
      } catch (error) {
        controller.abort(error)
      }
    }
    failures.begin()
    const outcome = await pool.run({
      task,
      search: id,
      candidate: number,
      signal: controller.signal,
      onStart,
    })
    if (outcome.kind === 'cancelled')
      throw controller.signal.reason ?? new EnvironmentError('the workers have been ended')
    if (outcome.kind === 'environment') throw new EnvironmentError(outcome.message)
    if (outcome.kind === 'failure') await failures.failure(outcome.failure.cause)
    else failures.result()
    const settlement =
      outcome.kind === 'result'
        ? { result: outcome.result, made: outcome.made ?? this.#context.made() }
        : { failure: outcome.failure }
    journal.write(() => this.#settle(db, key, number, settlement, journal.seconds))
    return outcome.kind === 'result' && !outcome.result.rejection ? outcome.result.scores : null
  }
}
