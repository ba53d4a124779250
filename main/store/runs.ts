/** Runs of transfers. What promotions make of a change is written with it, so that the two never differ. */
import type { Graph } from '../../shared/graph.ts'
import { FAILURE, type Failure } from '../../shared/records/candidate.ts'
import { GRAPH } from '../../shared/records/graph.ts'
import { isUnreadable, readable, unreadableText } from '../../shared/records/unreadable.ts'
import {
  runStateSchema,
  TRANSFER_OUTCOME,
  TRANSFER_POINT,
  type RunState,
  type StoredRun,
  type TransferPoint,
  type TransferResult,
} from '../../shared/transfer/records.ts'
import { numberOf, recordOf, recordOrNull, text, wordOf, type Database, type Row } from './database.ts'
import { emitPromotion } from './events.ts'
import { readOr } from './read-or.ts'

export type NewRun = Pick<StoredRun, 'key' | 'protocol' | 'fingerprint' | 'seed' | 'steps'> & {
  readonly graph: Graph
}

/** A result that can't be read is none, and why is told as its failure; the row stays as it is. */
const runOf = (row: Row): StoredRun => {
  const result = readOr(() => ({ read: recordOrNull(row, 'result', TRANSFER_OUTCOME) }), {
    id: text(row, 'key'),
    name: '',
  })
  const lost = isUnreadable(result) ? unreadableText(result.unreadable.why) : null
  return {
    key: text(row, 'key'),
    protocol: text(row, 'protocol'),
    fingerprint: text(row, 'fingerprint'),
    seed: numberOf(row, 'seed'),
    state: wordOf(row, 'state', runStateSchema),
    step: numberOf(row, 'step'),
    steps: numberOf(row, 'steps'),
    result: isUnreadable(result) ? null : result.read,
    failure: lost === null ? recordOrNull(row, 'failure', FAILURE) : { cause: lost, trace: '', attempts: 0 },
    seconds: numberOf(row, 'seconds'),
  }
}

/** Returns the state of the run with that key: it may be there already. */
export const addRun = (db: Database, run: NewRun): RunState => {
  db.run(
    'INSERT OR IGNORE INTO transfer_runs (key, protocol, fingerprint, seed, graph, state, steps) ' +
      "VALUES (?, ?, ?, ?, ?, 'queued', ?)",
    run.key,
    run.protocol,
    run.fingerprint,
    run.seed,
    GRAPH.write(run.graph),
    run.steps,
  )
  return getRun(db, run.key)!.state
}

export const getRun = (db: Database, key: string): StoredRun | null => {
  const row = db.get('SELECT * FROM transfer_runs WHERE key = ?', key)
  return row ? runOf(row) : null
}

export const runGraph = (db: Database, key: string): Graph =>
  recordOf(db.get('SELECT graph FROM transfer_runs WHERE key = ?', key)!, 'graph', GRAPH)

/** A promotion's, in the order in which they are to be done. */
export const runsOf = (db: Database, promotion: string): StoredRun[] =>
  db
    .all(
      'SELECT r.* FROM promotion_runs pr JOIN promotions p ON p.key = pr.promotion ' +
        'JOIN transfer_runs r ON r.key = pr.run WHERE p.id = ? ORDER BY pr.position',
      promotion,
    )
    .map(runOf)

/** The points of a run's curve that can be read. */
export const curveOf = (db: Database, key: string): TransferPoint[] =>
  readable(
    db
      .all('SELECT record FROM transfer_points WHERE run = ? ORDER BY step', key)
      .map((row) => readOr(() => recordOf(row, 'record', TRANSFER_POINT), { id: key, name: '' })),
  )

const IN_LINE =
  'FROM promotion_runs pr JOIN promotions p ON p.key = pr.promotion JOIN transfer_runs r ON r.key = pr.run ' +
  "WHERE p.state IN ('queued', 'running') AND r.state IN ('queued', 'running')"

/** Unfinished runs that promotions in line ask for, each once, in order; with the promotion that asked first. */
export const runsInLine = (
  db: Database,
): { readonly key: string; readonly state: RunState; readonly promotion: string }[] => {
  const rows = db.all(`SELECT r.key, r.state, p.id ${IN_LINE} ORDER BY p.key, pr.position`)
  const first = new Map<string, Row>()
  for (const row of rows) if (!first.has(text(row, 'key'))) first.set(text(row, 'key'), row)
  return [...first].map(([key, row]) => ({
    key,
    state: wordOf(row, 'state', runStateSchema),
    promotion: text(row, 'id'),
  }))
}

/** Promotions in line that ask for a run. */
export const askedFor = (db: Database, run: string): string[] =>
  db
    .all(
      'SELECT DISTINCT p.id FROM promotion_runs JOIN promotions p ON p.key = promotion ' +
        "WHERE run = ? AND p.state IN ('queued', 'running')",
      run,
    )
    .map((row) => text(row, 'id'))

export const startRun = (db: Database, key: string): void =>
  db.write(() => {
    db.run(
      "UPDATE transfer_runs SET state = 'running', failure = NULL WHERE key = ? AND state = 'queued'",
      key,
    )
    db.run(
      "UPDATE promotions SET state = 'running' WHERE state = 'queued' " +
        'AND key IN (SELECT promotion FROM promotion_runs WHERE run = ?)',
      key,
    )
    tell(db, key)
  })

/** How far it has come, and the point that it has reached, if any. */
export const advanceRun = (
  db: Database,
  key: string,
  { step, point, seconds }: { step: number; point: TransferPoint | null; seconds: number },
): void =>
  db.write(() => {
    // A worker of one who lost the lease may report late: what is done stays as it is.
    const open = "WHERE key = ? AND state <> 'done'"
    if (db.run(`UPDATE transfer_runs SET step = ?, seconds = ? ${open}`, step, seconds, key) === 0) return
    if (point) putPoint(db, key, point)
    tell(db, key)
  })

/** Written anew when a run that went on from a checkpoint comes to it again. */
const putPoint = (db: Database, key: string, point: TransferPoint): void => {
  db.run(
    'INSERT OR REPLACE INTO transfer_points (run, step, record) VALUES (?, ?, ?)',
    key,
    point.step,
    TRANSFER_POINT.write(point),
  )
}

export const finishRun = (db: Database, key: string, { curve, ...result }: TransferResult): void =>
  db.write(() => {
    db.run(
      "UPDATE transfer_runs SET state = 'done', step = ?, result = ?, failure = NULL, seconds = ? WHERE key = ?",
      result.step,
      TRANSFER_OUTCOME.write(result),
      result.seconds,
      key,
    )
    db.run('DELETE FROM transfer_points WHERE run = ?', key)
    for (const point of curve) putPoint(db, key, point)
    settlePromotions(db, key)
    tell(db, key)
  })

export const failRun = (db: Database, key: string, failure: Failure): void =>
  db.write(() => {
    db.run(
      "UPDATE transfer_runs SET state = 'failed', failure = ? WHERE key = ?",
      FAILURE.write(failure),
      key,
    )
    settlePromotions(db, key)
    tell(db, key)
  })

/** What is under way goes back into the line: one run, or all of them after a crash. */
export const requeueRuns = (db: Database, key: string | null = null): void =>
  db.write(() => {
    const rows = db.all("SELECT key FROM transfer_runs WHERE state = 'running' AND key = ifnull(?, key)", key)
    for (const row of rows) {
      db.run("UPDATE transfer_runs SET state = 'queued' WHERE key = ?", text(row, 'key'))
      tell(db, text(row, 'key'))
    }
  })

/** A promotion's failed runs back into the line. */
export const retryFailed = (db: Database, promotion: string): void => {
  for (const { key, state } of runsOf(db, promotion))
    if (state === 'failed')
      db.run("UPDATE transfer_runs SET state = 'queued', failure = NULL WHERE key = ?", key)
}

/** Unfinished runs of a promotion that no other one asks for, as new. Returns their keys. */
export const forgetUnwanted = (db: Database, promotion: string): string[] =>
  runsOf(db, promotion)
    .map(({ key }) => key)
    .filter(
      (key) =>
        db.run(
          "UPDATE transfer_runs SET state = 'queued', step = 0, seconds = 0, failure = NULL WHERE key = ?1 " +
            "AND state <> 'done' AND NOT EXISTS (SELECT 1 FROM promotion_runs JOIN promotions p ON p.key = promotion " +
            "WHERE run = ?1 AND p.state <> 'cancelled')",
          key,
        ) > 0,
    )
    .map((key) => {
      db.run('DELETE FROM transfer_points WHERE run = ?', key)
      return key
    })

/** Removes runs that no promotion asks for, finished or not. Returns their keys. */
export const removeUnasked = (db: Database, keys: readonly string[]): string[] =>
  keys.filter(
    (key) =>
      db.run(
        'DELETE FROM transfer_runs WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM promotion_runs WHERE run = ?1)',
        key,
      ) > 0,
  )

export const isRun = (db: Database, key: string): boolean =>
  db.get('SELECT 1 FROM transfer_runs WHERE key = ?', key) !== undefined

/** Whether a promotion that is not cancelled asks for it. */
export const isWanted = (db: Database, key: string): boolean =>
  db.get(
    'SELECT 1 FROM promotion_runs JOIN promotions p ON p.key = promotion ' +
      "WHERE run = ? AND p.state <> 'cancelled'",
    key,
  ) !== undefined

/** Seconds a step on this machine, by protocol. */
export const paces = (db: Database): ReadonlyMap<string, number> =>
  new Map(
    db
      .all(
        'SELECT protocol, sum(seconds) / sum(step) AS pace FROM transfer_runs WHERE step > 0 AND seconds > 0 ' +
          'GROUP BY protocol',
      )
      .map((row) => [text(row, 'protocol'), numberOf(row, 'pace')]),
  )

/** What a run's end makes of the promotions that ask for it; paused and cancelled ones stay so. */
const settlePromotions = (db: Database, run: string): void => {
  const rows = db.all(
    'SELECT DISTINCT p.id FROM promotions p JOIN promotion_runs pr ON pr.promotion = p.key ' +
      "WHERE pr.run = ? AND p.state IN ('queued', 'running', 'failed')",
    run,
  )
  for (const row of rows) settlePromotion(db, text(row, 'id'))
}

/** Done or failed when none of its runs is left; running when it is in line and one of them is. */
export const settlePromotion = (db: Database, id: string): void => {
  const runs = runsOf(db, id)
  if (runs.some(({ state }) => state === 'running'))
    db.run("UPDATE promotions SET state = 'running' WHERE id = ? AND state = 'queued'", id)
  if (runs.some(({ state }) => state === 'queued' || state === 'running')) return
  const failed = runs.filter(({ state }) => state === 'failed')
  const failure =
    failed.length > 0 ? `${failed.length} of ${runs.length} runs failed: ${failed[0]!.failure!.cause}` : null
  db.run(
    'UPDATE promotions SET state = ?, failure = ? WHERE id = ?',
    failure ? 'failed' : 'done',
    failure,
    id,
  )
}

/** Tells of every promotion that asks for a run. */
const tell = (db: Database, key: string): void => {
  const rows = db.all(
    'SELECT DISTINCT p.id FROM promotions p JOIN promotion_runs pr ON pr.promotion = p.key WHERE pr.run = ?',
    key,
  )
  for (const row of rows) emitPromotion(db, text(row, 'id'))
}
