import { ContractError, type LineageNode } from '../../shared/contract.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { SEARCH_NODES, type Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import type { Search, SearchConfig, SearchState } from '../../shared/records.ts'
import { requireSearchable } from '../../shared/rules.ts'
import { addCandidate, nextNumber, requeue } from '../store/candidates.ts'
import type { Database } from '../store/database.ts'
import { acquireLease, createHolder, leaseHolder, LeaseLost, releaseLease } from '../store/leases.ts'
import { oneNode } from '../store/reading.ts'
import { createSearch, getSearch, keyOf, updateSearch, type NewSearch } from '../store/searches.ts'
import type { Pool } from '../workers/pool.ts'
import { padToTen } from './mutate.ts'
import { Run } from './run.ts'

export type RunnerOptions = {
  readonly db: Database
  readonly pool: Pool
  /** Program and device versions, kept with each search. Asked again when a worker has told its own. */
  readonly made?: () => Readonly<Record<string, string>>
}

/** Runs searches of a store in this process. What can't be done as asked is a ContractError. */
export type Runner = {
  /** Ids of the searches at work in this process. */
  readonly atWork: readonly string[]
  /** A new search, running at once. */
  create(options: Pick<NewSearch, 'name' | 'config' | 'data'>): Search
  /** Goes on with a search that is paused, stopped, failed, or was left running by a process that is gone. */
  resume(id: string): void
  pause(id: string): Promise<void>
  /** Like a pause, but nobody is expected to go on. */
  stop(id: string): Promise<void>
  /** Puts a layer in: it gets its number now and is judged when the search comes to it. */
  insert(id: string, graph: Graph, note: string): LineageNode
  /** Resolves when the search is no longer at work in this process. */
  ended(id: string): Promise<Search>
  /** A search of the store as it is: one whose end could not be written (a full disk) is failed, not running. */
  asEnded(search: Search): Search
  /** Calls back with the id of a search whose end could not be written. */
  onUnwritten(listener: (id: string) => void): void
  /** Ends all work. Searches at work stay in state `running`, so that the next start resumes them. */
  close(): Promise<void>
}

/** How often an end that could not be written is tried again. */
const REWRITE_MS = 2000

export const createRunner = ({ db, pool, made = () => ({}) }: RunnerOptions): Runner => {
  const holder = createHolder()
  const runs = new Map<string, Run>()
  /** Causes of ends that could not be written, and are tried again until they are, by search. */
  const unwritten = new Map<string, string>()
  const unwrittenListeners = new Set<(id: string) => void>()
  let closed = false

  const find = (id: string): Search => {
    const search = getSearch(db, id)
    if (!search) throw new ContractError('missing', `search: needs the id of a search, got "${id}"`)
    return search
  }

  const lease = (key: number): void => {
    try {
      acquireLease(db, key, holder)
    } catch (error) {
      if (error instanceof LeaseLost) throw new ContractError('conflict', error.message)
      throw error
    }
  }

  const start = (search: Search): void => {
    const key = keyOf(db, search.id)
    const run = new Run({ db, pool, search, key, holder, made })
    runs.set(search.id, run)
    unwritten.delete(search.id)
    void run.ended.then(() => {
      runs.delete(search.id)
      if (run.unwritten !== null) {
        unwritten.set(search.id, run.unwritten)
        for (const listener of unwrittenListeners) listener(search.id)
        return
      }
      try {
        releaseLease(db, key, holder)
      } catch (error) {
        // It is free when this process has ended, or without a beat for a while.
        process.emitWarning(`the lease of search ${search.id} could not be given back: ${String(error)}`)
      }
    })
  }

  /** Tries again to write what could not be; another process may have gone on with the search meanwhile. */
  const writeEnds = (): void => {
    for (const [id, failure] of unwritten)
      try {
        const key = keyOf(db, id)
        db.write(() => {
          if (find(id).state === 'running') {
            acquireLease(db, key, holder)
            requeue(db, key)
            updateSearch(db, key, { state: 'failed', failure })
          }
          releaseLease(db, key, holder)
        })
        unwritten.delete(id)
      } catch (error) {
        if (error instanceof LeaseLost) unwritten.delete(id)
      }
  }
  const rewriting = setInterval(writeEnds, REWRITE_MS)
  rewriting.unref()

  const requireOpen = (): void => {
    if (closed) throw new ContractError('conflict', 'the program is ending')
  }

  /** Pauses or stops, also what no process runs (left by a crash, or paused before it is stopped). */
  const halt = async (id: string, state: SearchState): Promise<void> => {
    const run = runs.get(id)
    if (run) {
      await run.halt(state)
      return
    }
    const search = find(id)
    if (search.state === 'done') throw new ContractError('conflict', `search ${id} is done already`)
    const key = keyOf(db, id)
    db.write(() => {
      lease(key)
      requeue(db, key)
      if (search.state !== state) updateSearch(db, key, { state, failure: null })
      releaseLease(db, key, holder)
    })
  }

  return {
    get atWork() {
      return [...runs.keys()]
    },

    create: ({ name, config, data }) => {
      requireOpen()
      checkBaselines(config.baselines)
      const search = db.write(() => {
        const search = createSearch(db, { name, config, made: made(), data })
        lease(keyOf(db, search.id))
        return search
      })
      start(search)
      return search
    },

    resume: (id) => {
      requireOpen()
      const search = find(id)
      if (search.state === 'done') throw new ContractError('conflict', `search ${id} is done already`)
      if (runs.has(id)) throw new ContractError('conflict', `search ${id} is at work already`)
      const key = keyOf(db, id)
      db.write(() => {
        lease(key)
        updateSearch(db, key, { state: 'running', failure: null, requeued: requeue(db, key) })
      })
      start(find(id))
    },

    pause: (id) => halt(id, 'paused'),
    stop: (id) => halt(id, 'stopped'),

    insert: (id, graph, note) => {
      requireOpen()
      const { config, stage } = find(id)
      const run = runs.get(id)
      if (run ? !run.open : stage === 'rerank' || stage === 'finished')
        throw new ContractError('conflict', `search ${id} has made all its proposals`)
      const key = keyOf(db, id)
      return db.write(() => {
        const other = leaseHolder(db, key)
        if (other && other.holder !== holder)
          throw new ContractError('conflict', `the search is being run by process ${other.pid}`)
        const number = nextNumber(db, key)
        const layer = searchable(graph, config, number)
        addCandidate(db, key, {
          number,
          role: 'candidate',
          graph: layer,
          fingerprint: fingerprint(layer),
          origin: { kind: 'imported', note },
          verdict: null,
        })
        return oneNode(db, key, number)!
      })
    },

    ended: async (id) => {
      const run = runs.get(id)
      await run?.ended
      return run ? run.endOf(find(id)) : find(id)
    },

    asEnded: (search) => {
      const failure = search.state === 'running' ? unwritten.get(search.id) : undefined
      return failure === undefined ? search : { ...search, state: 'failed', failure }
    },

    onUnwritten: (listener) => void unwrittenListeners.add(listener),

    close: async () => {
      closed = true
      clearInterval(rewriting)
      await Promise.all([...runs.values()].map((run) => run.halt('running')))
    },
  }
}

const checkBaselines = (names: readonly string[]): void => {
  for (const name of names)
    try {
      knownLayer(name)
    } catch (error) {
      throw new ContractError('invalid', `baselines: ${(error as Error).message}`)
    }
}

/** An inserted layer as a member of the search space, with ten nodes, so that it can be mutated like any other. */
const searchable = (graph: Graph, { space, seed }: SearchConfig, number: number): Graph => {
  try {
    const layer =
      graph.nodes.length < SEARCH_NODES
        ? padToTen(graph, space, createRandom('inserted', seed, number))
        : graph
    return requireSearchable(layer, space, 'insert')
  } catch (error) {
    throw new ContractError('invalid', (error as Error).message)
  }
}
