import type { Funnel, SearchSummary } from '../../shared/contract.ts'
import { mean } from '../../shared/pareto.ts'
import { SCORES } from '../../shared/records/candidate.ts'
import type { Evaluation } from '../../shared/records/evaluation.ts'
import {
  numberOf,
  numberOrNull,
  recordOf,
  recordOrNull,
  text,
  textOrNull,
  type Database,
} from './database.ts'

/** How many candidates ended where. */
export const funnel = (db: Database, key: number): Funnel => {
  const count = { duplicate: 0, static: 0, quality: 0, stability: 0, failed: 0, scored: 0, pending: 0 }
  let sameFunction = 0
  const rows = db.all(
    "SELECT status, rejected, count(*) AS count, sum(same_by = 'function') AS by_function FROM candidates " +
      "WHERE search = ? AND role = 'candidate' GROUP BY status, rejected",
    key,
  )
  for (const row of rows) {
    const status = text(row, 'status')
    const where = status === 'rejected' ? text(row, 'rejected') : status
    count[where in count ? (where as keyof typeof count) : 'pending'] += numberOf(row, 'count')
    sameFunction += numberOrNull(row, 'by_function') ?? 0
  }
  return { generated: Object.values(count).reduce((sum, n) => sum + n, 0), sameFunction, ...count }
}

/** Found by the search: known layers that it was given, or came upon again, are not. */
const FOUND = "search = ? AND role = 'candidate' AND known IS NULL AND average IS NOT NULL"

/** The best layer that the search found, by its longest training: the re-ranking's where that has a result. */
export const best = (db: Database, key: number): SearchSummary['best'] => {
  const reranked = db
    .all(`SELECT number, rerank_scores FROM candidates WHERE ${FOUND} AND rerank_scores IS NOT NULL`, key)
    .map((row) => ({
      number: numberOf(row, 'number'),
      average: mean(recordOf(row, 'rerank_scores', SCORES)),
    }))
    .sort((a, b) => b.average - a.average || a.number - b.number)[0]
  if (reranked) return { ...reranked, purpose: 'rerank' }
  const row = db.get(
    `SELECT number, average FROM candidates WHERE ${FOUND} ORDER BY average DESC, number LIMIT 1`,
    key,
  )
  return row ? { number: numberOf(row, 'number'), average: numberOf(row, 'average'), purpose: 'score' } : null
}

/** The best layer of the literature, a baseline or one that the search was given, by a training of the same budget. */
export const rival = (db: Database, key: number, purpose: Evaluation['purpose']): SearchSummary['rival'] => {
  const scores = purpose === 'score' ? 'scores' : 'rerank_scores'
  const [best] = db
    .all(
      `SELECT number, label, known, ${scores} AS scores FROM candidates WHERE search = ? AND ${scores} IS NOT NULL ` +
        "AND (role = 'baseline' OR known IS NOT NULL)",
      key,
    )
    .map((row) => ({
      number: numberOf(row, 'number'),
      name: textOrNull(row, 'known') ?? text(row, 'label'),
      average: mean(recordOf(row, 'scores', SCORES)),
    }))
    .sort((a, b) => b.average - a.average || a.number - b.number)
  return best ?? null
}

/** Where the best average of found layers rose, in order of number. */
export const trend = (db: Database, key: number): SearchSummary['trend'] =>
  db
    .all(
      'SELECT number, at_seconds, average FROM (SELECT number, at_seconds, average, max(average) OVER ' +
        '(ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before ' +
        `FROM candidates WHERE ${FOUND}) WHERE before IS NULL OR average > before ORDER BY number`,
      key,
    )
    .map((row) => ({
      number: numberOf(row, 'number'),
      seconds: numberOf(row, 'at_seconds'),
      average: numberOf(row, 'average'),
    }))

export const baselines = (db: Database, key: number): SearchSummary['baselines'] =>
  db
    .all(
      "SELECT number, label, scores FROM candidates WHERE search = ? AND role = 'baseline' ORDER BY number",
      key,
    )
    .map((row) => ({
      name: text(row, 'label'),
      number: numberOf(row, 'number'),
      scores: recordOrNull(row, 'scores', SCORES),
    }))

/** Candidates put back in the queue when the search was last resumed. */
export const requeued = (db: Database, key: number): number =>
  numberOf(db.get('SELECT requeued FROM searches WHERE key = ?', key)!, 'requeued')

/** Running seconds of a search when its last baseline was trained; null while one is not. */
export const baselinesTrained = (db: Database, key: number): number | null => {
  const row = db.get(
    "SELECT count(*) = count(at_seconds) AS all_trained, ifnull(max(at_seconds), 0) AS at FROM candidates WHERE search = ? AND role = 'baseline'",
    key,
  )!
  return numberOf(row, 'all_trained') === 1 ? numberOf(row, 'at') : null
}

/** What the forecast is made from. */
export type Pace = {
  /** Trained candidates settled, and in all. */
  readonly settled: number
  readonly dispatched: number
  /** Running seconds at which the most recent ones were settled, newest first. */
  readonly recent: readonly number[]
  /** Mean seconds of work of a whole training (on every architecture). */
  readonly training: number | null
  readonly baselinesLeft: number
  /** Running seconds when the last baseline was trained; null while one is not. */
  readonly baselinesTrained: number | null
  readonly reranked: number
}

const RECENT = 40

export const pace = (db: Database, key: number): Pace => {
  const counts = db.get(
    "SELECT sum(role = 'candidate') AS dispatched, sum(role = 'candidate' AND at_seconds IS NOT NULL) AS settled, " +
      "sum(role = 'baseline' AND at_seconds IS NULL) AS left, sum(reranked) AS reranked, " +
      "avg(CASE WHEN status = 'scored' THEN seconds END) AS training " +
      'FROM candidates WHERE search = ? AND dispatched = 1',
    key,
  )!
  const recent = db.all(
    'SELECT at_seconds FROM candidates WHERE search = ? AND dispatched = 1 AND at_seconds IS NOT NULL ' +
      `AND role = 'candidate' ORDER BY at_seconds DESC LIMIT ${RECENT}`,
    key,
  )
  return {
    settled: numberOrNull(counts, 'settled') ?? 0,
    dispatched: numberOrNull(counts, 'dispatched') ?? 0,
    recent: recent.map((row) => numberOf(row, 'at_seconds')),
    training: numberOrNull(counts, 'training'),
    baselinesLeft: numberOrNull(counts, 'left') ?? 0,
    baselinesTrained: baselinesTrained(db, key),
    reranked: numberOrNull(counts, 'reranked') ?? 0,
  }
}
