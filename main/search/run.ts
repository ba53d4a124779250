import type {
  CandidateRole,
  Made,
  Search as SearchRecord,
  SearchStage,
  SearchState,
} from '../../shared/records.ts'
import { entry, requeue, settle, settleRerank } from '../store/candidates.ts'
import type { Database } from '../store/database.ts'
import { LeaseLost } from '../store/leases.ts'
import { addMade, updateSearch } from '../store/searches.ts'
import type { Pool } from '../workers/pool.ts'
import { decideBaselines, decideByPlainest, Failures } from './failures.ts'
import { Journal } from './journal.ts'
import { replay, type Replayed } from './replay.ts'
import { rerankTargetsOf } from './rerank.ts'
import { Search } from './search.ts'
import { rerankTask, scoreTask } from './task.ts'
import { Trainings, type Context } from './trainings.ts'

export type RunOptions = {
  readonly db: Database
  readonly pool: Pool
  readonly search: SearchRecord
  readonly key: number
  /** Holds the lease of the search. */
  readonly holder: string
  readonly made: () => Made
}

/** Why a run ended before its time: someone asked for it. */
class Halt extends Error {
  readonly state: SearchState
  constructor(state: SearchState) {
    super(`the search is to be ${state}`)
    this.state = state
  }
}

const once = (action: () => void): (() => void) => {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}

/** One search at work, from where the store left it to its end. */
export class Run {
  readonly #context: Context
  readonly #record: SearchRecord
  readonly #trainings: Trainings
  readonly #rerankings: Trainings
  readonly #failures: { readonly [kind in CandidateRole | 'rerank']: Failures }
  #search: Search | null = null
  #stage: SearchStage
  /** Why the end could not be written; null when it was, or the run goes on. */
  #unwritten: string | null = null
  /** Resolves when nothing of it is under way and its state is written. Never rejects. */
  readonly ended: Promise<void>

  constructor({ db, pool, search, key, holder, made }: RunOptions) {
    const controller = new AbortController()
    const journal = new Journal(db, key, holder, search.seconds, (error) => controller.abort(error))
    const versions = once(() => addMade(db, key, made()))
    this.#context = { db, key, id: search.id, pool, journal, controller, made, onStart: versions }
    this.#record = search
    this.#stage = search.stage
    this.#trainings = new Trainings(this.#context, settle)
    this.#rerankings = new Trainings(this.#context, settleRerank)
    const byPlainest = decideByPlainest(this.#context, search.config)
    this.#failures = {
      baseline: new Failures(controller.signal, decideBaselines),
      candidate: new Failures(controller.signal, byPlainest),
      rerank: new Failures(controller.signal, byPlainest),
    }
    this.ended = this.#live()
  }

  /** Whether a layer can still be put in. */
  get open(): boolean {
    return (this.#stage === 'baselines' || this.#stage === 'search') && this.#search?.closed !== true
  }

  /** Why the end could not be written; null when it was, or the run goes on. */
  get unwritten(): string | null {
    return this.#unwritten
  }

  /** The search as it ended here: a store that can't be written any more still says that it is running. */
  endOf(search: SearchRecord): SearchRecord {
    return this.#unwritten === null ? search : { ...search, state: 'failed', failure: this.#unwritten }
  }

  /** Ends the work; the search is left in `state`. */
  halt(state: SearchState): Promise<void> {
    this.#context.controller.abort(new Halt(state))
    return this.ended
  }

  async #live(): Promise<void> {
    const { journal, controller } = this.#context
    try {
      await this.#work()
      this.#leave({ state: 'done', stage: 'finished' })
    } catch (error) {
      controller.abort(error)
      await this.#trainings.ended()
      await this.#rerankings.ended()
      const reason: unknown = controller.signal.reason
      if (reason instanceof Halt) this.#leave({ state: reason.state })
      else if (!(reason instanceof LeaseLost))
        this.#leave({ state: 'failed', failure: reason instanceof Error ? reason.message : String(reason) })
    } finally {
      journal.close()
    }
  }

  async #work(): Promise<void> {
    const { config } = this.#record
    const replayed = await replay(this.#context, config)
    this.#trainAgain(replayed)
    const search = new Search(
      this.#context,
      this.#trainings,
      this.#failures.candidate,
      replayed.history,
      replayed.next,
    )
    this.#search = search

    const baselines = this.#baselines()
    baselines.catch((error: unknown) => this.#context.controller.abort(error))
    if (this.open) await search.propose()
    await search.drain()
    await baselines
    await this.#rerank()
  }

  /** What has no result yet, baselines first: the pool starts trainings in the order it gets them. */
  #trainAgain({ settled, unfinished }: Replayed): void {
    const { config } = this.#record
    for (const [number, scores] of settled) {
      this.#trainings.recall(number, scores)
      if (number < config.baselines.length) this.#failures.baseline.recall()
    }
    for (const { number, graph, role } of unfinished)
      this.#trainings.train(number, scoreTask(config, graph, role), this.#failures[role])
  }

  /** The first candidates are proposed meanwhile, but the stage is called after what it waits for. */
  async #baselines(): Promise<void> {
    await Promise.all(this.#record.config.baselines.map((_, number) => this.#trainings.result(number)))
    if (this.#stage === 'baselines') this.#enter('search')
  }

  async #rerank(): Promise<void> {
    const { config } = this.#record
    const { db, key } = this.#context
    const { count, steps } = config.evolution.rerank
    const targets = steps > 0 ? rerankTargetsOf(db, key, count) : []
    this.#enter('rerank')
    for (const number of targets) {
      const target = entry(db, key, number)!
      if (!target.reranked) {
        this.#rerankings.train(number, rerankTask(config, target.graph), this.#failures.rerank)
      } else this.#rerankings.recall(number, null)
    }
    await Promise.all(targets.map((number) => this.#rerankings.result(number)))
  }

  #enter(stage: SearchStage): void {
    if (this.#stage === stage) return
    this.#stage = stage
    const { db, key, journal } = this.#context
    journal.write(() => updateSearch(db, key, { stage }))
  }

  /** The end of the run in the store; when even that can't be written, the search is found as after a crash. */
  #leave(change: { state: SearchState; stage?: SearchStage; failure?: string }): void {
    const { db, key, journal } = this.#context
    try {
      journal.write(() => {
        requeue(db, key)
        updateSearch(db, key, change)
      })
    } catch (error) {
      if (error instanceof LeaseLost) return
      this.#unwritten = change.failure ?? `the store can't be written: ${(error as Error).message}`
      process.emitWarning(`the end of search ${this.#record.id} could not be written: ${String(error)}`)
    }
  }
}
