import type { Graph } from '../../shared/graph.ts'
import { familyOf, identify, type Identity } from '../../shared/identity/identity.ts'
import { knownAs } from '../../shared/identity/known.ts'
import { createRandom } from '../../shared/random.ts'
import type { Origin, SameBy, SearchConfig } from '../../shared/records.ts'
import type { Change, Verdict } from '../store/verdict.ts'
import { Population, type Member } from './population.ts'
import { propose, type Proposal, type Standing } from './propose.ts'
import { staticRejection } from './static.ts'

/** What the history needs to know of a candidate; a subset of `Candidate`. */
export type Entry = {
  readonly number: number
  readonly graph: Graph
  readonly origin: Origin
  readonly verdict: Verdict
}
/**
 * The search as a state machine without clock or chance of its own: what is proposed depends on the seed and on
 * the candidates before, never on timing. Up to `inFlight` candidates are in training; only the oldest is ever
 * committed, so that the order in which workers finish does not matter. In an asynchronous search they are committed in
 * the order in which they finish, which the store keeps. The same calls, made from the rows of a store, rebuild the state
 * after a crash.
 */
export class History {
  readonly config: SearchConfig
  readonly #population: Population
  readonly #inFlight: Entry[] = []
  /** Who was trained: numbers by simplified formula and by function, and what each number is. */
  readonly #holders: Readonly<Record<SameBy, Map<string, number>>> = {
    formula: new Map(),
    function: new Map(),
  }
  readonly #identities = new Map<number, Identity>()
  readonly #judged = new WeakMap<Graph, Identity>()
  readonly #scores = new Map<number, readonly number[]>()
  readonly #awaited = new Set<number>()
  readonly #known: { number: number; graph: Graph }[] = []
  #trained = 0
  #admitted = 0
  #misses = 0

  constructor(config: SearchConfig) {
    this.config = config
    this.#population = new Population(config.evolution)
  }

  get members(): readonly Member[] {
    return this.#population.members
  }
  /** Candidates sent to training so far. */
  get trained(): number {
    return this.#trained
  }
  /** Whether `limit` candidates are in flight. */
  isFull(limit = this.config.evolution.inFlight): boolean {
    return this.#inFlight.length >= limit
  }
  /** Number of the oldest candidate in flight, null when there is none. */
  get oldest(): number | null {
    return this.#inFlight[0]?.number ?? null
  }
  get inFlight(): readonly number[] {
    return this.#inFlight.map((entry) => entry.number)
  }

  /** The layer that candidate `number` should be. */
  propose(number: number): Proposal {
    const standing: Standing = {
      members: this.members,
      known: this.#known,
      admitted: this.#admitted,
      misses: this.#misses,
    }
    return propose(this.config, standing, createRandom('candidate', this.config.seed, number))
  }

  judge(graph: Graph): Verdict {
    const identity = this.#identify(graph)
    const name = knownAs(identity)
    const known = name === null ? {} : { known: name }
    for (const by of ['formula', 'function'] as const) {
      const of = this.#holders[by].get(identity[by])
      if (of !== undefined) return { kind: 'duplicate', of, by, ...known }
    }
    const rejection = staticRejection(graph)
    return rejection === null
      ? { kind: 'train', family: familyOf(identity), ...known }
      : { kind: 'static', rejection }
  }

  /** A baseline: known as trained, but no member of the population. Its result may come later. */
  baseline({ number, graph }: Pick<Entry, 'number' | 'graph'>): void {
    this.#hold(number, graph)
    this.#awaited.add(number)
  }
  /** Whether `number` is a baseline without its result: a candidate equal to it can't be taken yet. */
  awaits(number: number): boolean {
    return this.#awaited.has(number)
  }
  /** The result of a baseline; `scores` are null when it diverged or failed. */
  settleBaseline(number: number, scores: readonly number[] | null): void {
    this.#awaited.delete(number)
    if (scores) this.#scores.set(number, scores)
  }

  /** Records the next candidate. One to be trained is in flight from now on; never call it when full. */
  take(entry: Entry): Change {
    if (entry.origin.kind === 'known') this.#known.push({ number: entry.number, graph: entry.graph })
    if (entry.verdict.kind === 'train') {
      this.#hold(entry.number, entry.graph)
      this.#inFlight.push(entry)
      this.#trained += 1
      this.#admit()
      return { entered: [], left: [] }
    }
    if (entry.verdict.kind === 'duplicate' && this.awaits(entry.verdict.of))
      throw new Error(`history: candidate ${entry.number} needs the result of baseline ${entry.verdict.of}`)
    const scores = entry.verdict.kind === 'duplicate' ? this.#scores.get(entry.verdict.of) : undefined
    const change = scores ? this.#enter(entry, scores) : { entered: [], left: [] }
    if (change.entered.length > 0) this.#admit()
    else this.#misses += 1
    return change
  }

  /** Commits one in flight, the oldest unless the search is asynchronous; `scores` are null when it was rejected or failed. */
  commit(number: number, scores: readonly number[] | null): Change {
    const place = this.#inFlight.findIndex((entry) => entry.number === number)
    if (place < 0 || (place > 0 && !this.config.evolution.asynchronous))
      throw new Error(`history: needs the oldest candidate ${this.oldest ?? 'none'} next, got ${number}`)
    const entry = this.#inFlight.splice(place, 1)[0]!
    return scores ? this.#enter(entry, scores) : { entered: [], left: [] }
  }

  #admit(): void {
    this.#admitted += 1
    this.#misses = 0
  }

  /** A layer is judged and then taken: its identity is worked out once. */
  #identify(graph: Graph): Identity {
    let identity = this.#judged.get(graph)
    if (!identity) this.#judged.set(graph, (identity = identify(graph)))
    return identity
  }

  /** The first of equal ones stands for all. */
  #hold(number: number, graph: Graph): void {
    const identity = this.#identify(graph)
    this.#identities.set(number, identity)
    for (const by of ['formula', 'function'] as const)
      if (!this.#holders[by].has(identity[by])) this.#holders[by].set(identity[by], number)
  }

  #enter({ number, graph, verdict }: Entry, scores: readonly number[]): Change {
    this.#scores.set(number, scores)
    const identity = this.#identities.get(verdict.kind === 'duplicate' ? verdict.of : number)!
    const { entered, left } = this.#population.enter({ number, graph, identity, scores })
    return { entered: entered ? [number] : [], left: left ? [left.number] : [] }
  }
}
