import { compare, correct, yardstick, type ComparisonRow } from '../../shared/comparison.ts'
import { TRANSFER_TASKS, type Promotion, type StoredRun } from '../../shared/transfer.ts'
import type { TransferDetail, TransferPrediction, TransferSummary } from '../../shared/transfer/contract.ts'
import type { Waiting } from '../../shared/transfer/waiting.ts'
import type { Database } from '../store/database.ts'
import { isUnreadable, readable, type Unreadable } from '../../shared/records/unreadable.ts'
import { getPromotion, listPromotions, readPromotions, reusedRuns } from '../store/promotions.ts'
import { readOr } from '../store/read-or.ts'
import { curveOf, paces, runsOf } from '../store/runs.ts'
import { getSearch } from '../store/searches.ts'
import { forecastLine } from './estimate.ts'
import type { Folders } from './folders.ts'
import { lineUp } from './layers.ts'

/** How many runs may be under way at once, and the search that has the rest of the workers. */
export type Room = { readonly runs: number; readonly search: string | null }
/** All of a worker, as far as can be told without one. */
export const NO_SEARCH: Room = { runs: 1, search: null }

/** The promotions in line, and when each will be done. */
type Line = {
  readonly ids: readonly string[]
  readonly etas: ReadonlyMap<string, TransferPrediction>
  readonly room: Room
  /** The comparisons of other layers under the same protocol: so many were tried. */
  readonly others: (promotion: Promotion) => ComparisonRow[][]
}

const lineOf = (db: Database, promotions: readonly Promotion[], room: Room): Line => {
  const line = promotions
    .filter(({ state }) => state === 'queued' || state === 'running')
    .map((promotion) => ({ promotion, runs: runsOf(db, promotion.id) }))
  return {
    ids: line.map(({ promotion }) => promotion.id),
    etas: forecastLine(line, Math.max(1, room.runs), paces(db)),
    room,
    others: othersIn(db, promotions),
  }
}

/** Each layer counts once, whatever promotions it has; one that was cancelled has told nothing. */
const othersIn = (db: Database, promotions: readonly Promotion[]): Line['others'] => {
  const compared = new Map<string, ComparisonRow[]>()
  const rowsOf = (promotion: Promotion): ComparisonRow[] => {
    const known = compared.get(promotion.id) ?? comparisonIn(db, promotion)
    compared.set(promotion.id, known)
    return known
  }
  return ({ protocol, layer }) => {
    const others = promotions.filter(
      (other) =>
        other.protocol === protocol &&
        other.layer.fingerprint !== layer.fingerprint &&
        other.state !== 'cancelled',
    )
    return [...new Map(others.map((other) => [other.layer.fingerprint, rowsOf(other)])).values()]
  }
}

const comparisonIn = (db: Database, { id, layer, config }: Promotion): ComparisonRow[] => {
  const layers = lineUp(layer, config).map(({ fingerprint, label, role }) => ({ fingerprint, label, role }))
  return compare(layers, runsOf(db, id), TRANSFER_TASKS[config.task].measures)
}

/** Every promotion, newest first; one that can't be read stands in its place. */
export const transferList = (db: Database, room: Room): (TransferSummary | Unreadable)[] => {
  const promotions = readPromotions(db)
  const line = lineOf(db, readable(promotions), room)
  return promotions
    .map((promotion) =>
      isUnreadable(promotion)
        ? promotion
        : readOr(() => summaryIn(db, promotion, line), { id: promotion.id, name: promotion.layer.label }),
    )
    .reverse()
}

/** Those that can be read, newest first. */
export const transferSummaries = (db: Database, room: Room): TransferSummary[] =>
  readable(transferList(db, room))

/** One promotion; null when there is none. */
export const transferSummary = (db: Database, id: string, room: Room): TransferSummary | null => {
  const promotion = getPromotion(db, id)
  return promotion && summaryIn(db, promotion, lineOf(db, listPromotions(db), room))
}

const summaryIn = (db: Database, promotion: Promotion, line: Line): TransferSummary => {
  const { id, config } = promotion
  const runs = runsOf(db, id)
  const { measures } = TRANSFER_TASKS[config.task]
  const counts = { queued: 0, running: 0, done: 0, failed: 0 }
  for (const { state } of runs) counts[state] += 1
  return {
    promotion,
    comparison: correct(comparisonIn(db, promotion), line.others(promotion), measures),
    real: yardstick(runs, measures),
    runs: counts,
    reused: reusedRuns(db, id),
    progress: runs.reduce((sum, run) => sum + partDone(run), 0) / Math.max(1, runs.length),
    eta: line.etas.get(id) ?? null,
    waiting: counts.running > 0 ? null : waitingIn(db, id, line),
    data: runs.map(({ result }) => result?.data).find((data) => data !== undefined),
  }
}

const waitingIn = (db: Database, id: string, { ids, room }: Line): Waiting | null => {
  const place = ids.indexOf(id) + 1
  if (place > 1) return { for: 'line', place }
  const search = place === 1 && room.runs === 0 && room.search !== null ? getSearch(db, room.search) : null
  return search && { for: 'search', name: search.name }
}

/** A run that ended is done, however far it came. */
const partDone = ({ state, step, steps }: StoredRun): number =>
  state === 'done' || state === 'failed' ? 1 : Math.min(1, step / steps)

/** A promotion with its runs, their curves and the names of their pictures; null when there is none. */
export const transferDetail = (
  db: Database,
  folders: Folders,
  id: string,
  room: Room,
): TransferDetail | null => {
  const summary = transferSummary(db, id, room)
  if (!summary) return null
  const of = new Map(summary.comparison.map((row) => [row.fingerprint, row]))
  const runs = runsOf(db, id).map((run) => {
    const { label, role } = of.get(run.fingerprint)!
    return { run, label, role, curve: curveOf(db, run.key), pictures: folders.pictures(run.key) }
  })
  return { summary, runs }
}
