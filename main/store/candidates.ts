import { liveNodes } from '../../shared/canonical.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { bitsOf } from '../../shared/ops.ts'
import { mean } from '../../shared/pareto.ts'
import {
  candidateRoleSchema,
  candidateStatusSchema,
  FAILURE,
  ORIGIN,
  REJECTION,
  SCORES,
  type CandidateRole,
  type CandidateStatus,
  type Failure,
  type Origin,
} from '../../shared/records/candidate.ts'
import { EVALUATION, type EvaluationResult } from '../../shared/records/evaluation.ts'
import { GRAPH } from '../../shared/records/graph.ts'
import { MADE, type Made } from '../../shared/records/made.ts'
import {
  numberOf,
  numberOrNull,
  recordOf,
  recordOrNull,
  text,
  textOfRecord,
  wordOf,
  type Database,
  type Row,
} from './database.ts'
import { emit } from './events.ts'
import type { Change, Verdict } from './verdict.ts'

export type NewCandidate = {
  readonly number: number
  readonly role: CandidateRole
  readonly graph: Graph
  readonly fingerprint: string
  readonly origin: Origin
  /** null: inserted by the user, to be judged when the search comes to it. */
  readonly verdict: Verdict | null
  readonly atSeconds?: number
}

/** Longest formula that a text filter looks through. */
const WORDS = 400

export const addCandidate = (db: Database, key: number, candidate: NewCandidate): void =>
  db.write(() => {
    const { number, role, graph, origin } = candidate
    const live = liveNodes(graph).map((i) => graph.nodes[i]!.op)
    const label = origin.kind === 'known' ? origin.name : origin.kind
    db.run(
      'INSERT INTO candidates (search, number, role, fingerprint, kind, label, parent, status, nodes, ops, words) ' +
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
      key,
      number,
      role,
      candidate.fingerprint,
      origin.kind,
      label,
      origin.kind === 'mutation' ? origin.parent : null,
      live.length,
      bitsOf(live),
      `${label.toLowerCase()} ${formulaText(graph).slice(0, WORDS)}`,
    )
    db.run(
      'INSERT INTO layers (search, number, graph, origin) VALUES (?, ?, ?, ?)',
      key,
      number,
      GRAPH.write(graph),
      ORIGIN.write(origin),
    )
    if (candidate.verdict) judge(db, key, number, candidate.verdict, candidate.atSeconds ?? 0)
    else emit(db, key, number)
  })

/** Records what the search decided about a candidate: settled at once, or waiting to be trained. */
export const judge = (db: Database, key: number, number: number, verdict: Verdict, atSeconds: number): void =>
  db.write(() => {
    const where = 'WHERE search = ? AND number = ?'
    if (verdict.kind === 'train')
      db.run(
        `UPDATE candidates SET dispatched = 1, family = ?, known = ? ${where}`,
        verdict.family ?? null,
        verdict.known ?? null,
        key,
        number,
      )
    else if (verdict.kind === 'static') {
      db.run(
        `UPDATE candidates SET dispatched = 0, status = 'rejected', rejected = ?, at_seconds = ? ${where}`,
        verdict.rejection.stage,
        atSeconds,
        key,
        number,
      )
      db.run(`UPDATE layers SET rejection = ? ${where}`, REJECTION.write(verdict.rejection), key, number)
    } else {
      const original = db.get(`SELECT scores, average FROM candidates ${where}`, key, verdict.of)!
      db.run(
        "UPDATE candidates SET dispatched = 0, status = 'duplicate', duplicate_of = ?, same_by = ?, known = ?, scores = ?, average = ?, " +
          `at_seconds = ? ${where}`,
        verdict.of,
        verdict.by ?? null,
        verdict.known ?? null,
        original['scores']!,
        original['average']!,
        atSeconds,
        key,
        number,
      )
    }
    emit(db, key, number)
  })

export const startCandidate = (db: Database, key: number, number: number): void =>
  db.write(() => {
    db.run(
      "UPDATE candidates SET status = 'running' WHERE search = ? AND number = ? AND status = 'queued'",
      key,
      number,
    )
    emit(db, key, number)
  })

/** A result, and where it was made. */
type Done = { readonly result: EvaluationResult; readonly made?: Made | undefined }
export type Settlement = Done | { readonly failure: Failure }

/** The result of a training, once: duplicates of the candidate take its scores, too. */
export const settle = (
  db: Database,
  key: number,
  number: number,
  settlement: Settlement,
  atSeconds: number,
): void =>
  db.write(() => {
    const [status, scores, rejection, failure, seconds] =
      'failure' in settlement
        ? (['failed', null, null, settlement.failure, 0] as const)
        : ([
            settlement.result.rejection ? 'rejected' : 'scored',
            settlement.result.rejection ? null : settlement.result.scores,
            settlement.result.rejection,
            null,
            settlement.result.seconds,
          ] as const)
    const average = scores ? mean(scores) : null
    const changed = db.run(
      'UPDATE candidates SET status = ?, scores = ?, average = ?, rejected = ?, seconds = ?, at_seconds = ? ' +
        "WHERE search = ? AND number = ? AND status IN ('queued', 'running')",
      status,
      textOfRecord(SCORES, scores),
      average,
      rejection?.stage ?? null,
      seconds,
      atSeconds,
      key,
      number,
    )
    if (changed !== 1) throw new Error(`store: candidate ${number} is settled already`)
    db.run(
      'UPDATE layers SET rejection = ?, failure = ? WHERE search = ? AND number = ?',
      textOfRecord(REJECTION, rejection),
      textOfRecord(FAILURE, failure),
      key,
      number,
    )
    if ('result' in settlement) addEvaluations(db, key, number, settlement)
    emit(db, key, number)
    for (const row of db.all(
      'SELECT number FROM candidates WHERE search = ? AND duplicate_of = ?',
      key,
      number,
    )) {
      db.run(
        'UPDATE candidates SET scores = ?, average = ? WHERE search = ? AND number = ?',
        textOfRecord(SCORES, scores),
        average,
        key,
        numberOf(row, 'number'),
      )
      emit(db, key, numberOf(row, 'number'))
    }
  })

/** The result of the longer training; a failure or divergence is kept beside the scores the candidate has. */
export const settleRerank = (db: Database, key: number, number: number, settlement: Settlement): void =>
  db.write(() => {
    const scores = 'result' in settlement ? settlement.result.scores : null
    const failure = 'failure' in settlement ? settlement.failure : divergence(settlement.result)
    const changed = db.run(
      'UPDATE candidates SET reranked = 1, rerank_scores = ? WHERE search = ? AND number = ? AND reranked = 0',
      textOfRecord(SCORES, scores),
      key,
      number,
    )
    if (changed !== 1) throw new Error(`store: candidate ${number} is re-ranked already`)
    db.run(
      'UPDATE layers SET failure = ? WHERE search = ? AND number = ?',
      textOfRecord(FAILURE, failure),
      key,
      number,
    )
    if ('result' in settlement) addEvaluations(db, key, number, settlement)
    emit(db, key, number)
  })

const divergence = ({ rejection }: EvaluationResult): Failure | null =>
  rejection && {
    cause: `re-ranking: ${rejection.reason} (${rejection.architecture}, step ${rejection.step})`,
    trace: '',
    attempts: 1,
  }

const addEvaluations = (db: Database, key: number, number: number, { result, made }: Done): void => {
  const place = made ? placeOf(db, made) : null
  for (const { made: _made, ...evaluation } of result.evaluations)
    db.run(
      'INSERT INTO evaluations (search, number, purpose, record, made) VALUES (?, ?, ?, ?, ?)',
      key,
      number,
      evaluation.purpose,
      EVALUATION.write(evaluation),
      place,
    )
}

/** The key under which a place is kept. */
const placeOf = (db: Database, made: Made): number => {
  const record = MADE.write(made)
  db.run('INSERT OR IGNORE INTO made (record) VALUES (?)', record)
  return numberOf(db.get('SELECT key FROM made WHERE record = ?', record)!, 'key')
}

/** Marks who entered and who left the population. */
export const setAlive = (db: Database, key: number, { entered, left }: Change): void => {
  if (entered.length + left.length === 0) return
  db.write(() => {
    for (const [alive, numbers] of [[1, entered] as const, [0, left] as const])
      for (const number of numbers) {
        const changed = db.run(
          'UPDATE candidates SET alive = ? WHERE search = ? AND number = ? AND alive <> ?',
          alive,
          key,
          number,
          alive,
        )
        if (changed > 0) emit(db, key, number)
      }
  })
}

/** What was under evaluation when the program ended goes back into the queue. Returns how many. */
export const requeue = (db: Database, key: number): number =>
  db.write(() => {
    const rows = db.all("SELECT number FROM candidates WHERE search = ? AND status = 'running'", key)
    for (const row of rows) {
      db.run(
        "UPDATE candidates SET status = 'queued' WHERE search = ? AND number = ?",
        key,
        numberOf(row, 'number'),
      )
      emit(db, key, numberOf(row, 'number'))
    }
    return rows.length
  })

/** A candidate as the search reads it back; `verdict` null: inserted and not yet judged. */
export type StoredEntry = Omit<NewCandidate, 'atSeconds'> & {
  readonly status: CandidateStatus
  readonly scores: readonly number[] | null
  readonly reranked: boolean
}

const ENTRY =
  'SELECT c.number, c.role, c.fingerprint, c.status, c.dispatched, c.duplicate_of, c.same_by, c.family, c.known, c.scores, c.reranked, ' +
  'l.graph, l.origin, l.rejection FROM candidates c JOIN layers l USING (search, number) WHERE c.search = ?'

const entryOf = (row: Row): StoredEntry => ({
  number: numberOf(row, 'number'),
  role: wordOf(row, 'role', candidateRoleSchema),
  graph: recordOf(row, 'graph', GRAPH),
  fingerprint: text(row, 'fingerprint'),
  origin: recordOf(row, 'origin', ORIGIN),
  status: wordOf(row, 'status', candidateStatusSchema),
  scores: recordOrNull(row, 'scores', SCORES),
  reranked: numberOf(row, 'reranked') === 1,
  verdict: verdictOf(row),
})

const verdictOf = (row: Row): Verdict | null => {
  const dispatched = numberOrNull(row, 'dispatched')
  if (dispatched === null) return null
  const present = (name: string, column: string): Record<string, string> =>
    row[column] === null ? {} : { [name]: text(row, column) }
  const known = present('known', 'known')
  if (dispatched === 1) return { kind: 'train', ...present('family', 'family'), ...known }
  const of = numberOrNull(row, 'duplicate_of')
  if (of === null) return { kind: 'static', rejection: recordOf(row, 'rejection', REJECTION) }
  return { kind: 'duplicate', of, ...present('by', 'same_by'), ...known }
}

/** Candidates of a search in order of number: `limit` at most, from number `from` on. */
export const entries = (db: Database, key: number, from = 0, limit = -1): StoredEntry[] =>
  db.all(`${ENTRY} AND c.number >= ? ORDER BY c.number LIMIT ?`, key, from, limit).map(entryOf)

/** Numbers of those marked as in the population. */
export const aliveNumbers = (db: Database, key: number): number[] =>
  db
    .all('SELECT number FROM candidates WHERE search = ? AND alive = 1 ORDER BY number', key)
    .map((row) => numberOf(row, 'number'))

export const entry = (db: Database, key: number, number: number): StoredEntry | null => {
  const row = db.get(`${ENTRY} AND c.number = ?`, key, number)
  return row ? entryOf(row) : null
}

/** The number the next candidate gets. */
export const nextNumber = (db: Database, key: number): number =>
  numberOf(db.get('SELECT ifnull(max(number) + 1, 0) AS next FROM candidates WHERE search = ?', key)!, 'next')
