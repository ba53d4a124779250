import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Graph } from '../../shared/graph.ts'
import type { CandidateRole, SearchConfig } from '../../shared/records.ts'
import { aliveNumbers, entries, setAlive, type StoredEntry } from '../store/candidates.ts'
import type { Database } from '../store/database.ts'
import { takenOf } from '../store/taken.ts'
import { History } from './history.ts'
import type { Context, Scores } from './trainings.ts'

export type Replayed = {
  readonly history: History
  /** The number that is to be proposed or, when inserted, judged next. */
  readonly next: number
  /** Results of baselines and of candidates in flight. */
  readonly settled: ReadonlyMap<number, Scores>
  /** Baselines and candidates in flight without a result, in order of number. */
  readonly unfinished: readonly {
    readonly number: number
    readonly role: CandidateRole
    readonly graph: Graph
  }[]
}

/** Rows read at a time, so that other work gets its turn between. */
const ROWS = 2000

const isSettled = ({ status }: StoredEntry): boolean => status !== 'queued' && status !== 'running'
const scoresOf = ({ status, scores }: StoredEntry): Scores => (status === 'scored' ? scores : null)

/** Rebuilds the state of a search. Marks of who is alive, which a crash may have left a step behind, are put right. */
export const replay = async (
  { db, key, controller, journal }: Pick<Context, 'db' | 'key' | 'controller' | 'journal'>,
  config: SearchConfig,
): Promise<Replayed> => {
  const replayed = await rebuild(db, key, config, controller.signal)
  const members = new Set(replayed.history.members.map(({ number }) => number))
  const marked = new Set(aliveNumbers(db, key))
  journal.write(() =>
    setAlive(db, key, {
      entered: [...members].filter((number) => !marked.has(number)),
      left: [...marked].filter((number) => !members.has(number)),
    }),
  )
  return replayed
}

/**
 * The state of a search from its rows, by the calls that made them: the oldest candidate in flight is committed exactly when
 * there is no room for the next; in an asynchronous search, the results that the store says were taken before the next was
 * proposed. `onRow` sees the history as it was when a row was proposed, and the row.
 */
export const rebuild = async (
  db: Database,
  key: number,
  config: SearchConfig,
  signal: AbortSignal,
  onRow: (history: History, row: StoredEntry) => void = () => undefined,
): Promise<Replayed> => {
  const history = new History(config)
  const settled = new Map<number, Scores>()
  const waiting = new Map<number, StoredEntry>()
  const taken = config.evolution.asynchronous ? takenOf(db, key) : null
  let next = 0

  const commit = (number: number, before: number): void => {
    const scores = settled.get(number)
    if (scores === undefined)
      throw new Error(`store: candidate ${number} needs a result before candidate ${before}, has none`)
    history.commit(number, scores)
    settled.delete(number)
  }
  const makeRoom = (before: number): void => {
    if (taken)
      for (; taken.length > 0 && taken[0]!.before <= before; taken.shift()) commit(taken[0]!.number, before)
    else while (history.isFull()) commit(history.oldest!, before)
  }

  const place = (row: StoredEntry): void => {
    next = row.number + 1
    if (row.verdict?.kind === 'train') {
      if (isSettled(row)) settled.set(row.number, scoresOf(row))
      else waiting.set(row.number, row)
    }
    if (row.role === 'baseline') {
      history.baseline(row)
      if (isSettled(row)) history.settleBaseline(row.number, scoresOf(row))
    } else if (row.verdict) {
      makeRoom(row.number)
      onRow(history, row)
      history.take({ ...row, verdict: row.verdict })
    }
  }

  for (let from = 0; ;) {
    const rows = entries(db, key, from, ROWS)
    for (const row of rows) {
      // Inserted layers that were not judged yet are the last rows.
      if (row.verdict === null) break
      place(row)
    }
    if (rows.length < ROWS || rows.at(-1)!.verdict === null) break
    from = rows.at(-1)!.number + 1
    await nextTurn()
    signal.throwIfAborted()
  }
  if (taken) makeRoom(next)
  return { history, next, settled, unfinished: [...waiting.values()] }
}
