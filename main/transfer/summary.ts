import { compare } from '../../shared/comparison.ts'
import { TRANSFER_TASKS, type Promotion, type StoredRun } from '../../shared/transfer.ts'
import type { TransferDetail, TransferSummary } from '../../shared/transfer/contract.ts'
import type { Database } from '../store/database.ts'
import { listPromotions, reusedRuns } from '../store/promotions.ts'
import { curveOf, paces, runsOf } from '../store/runs.ts'
import { forecastLine, type InLine } from './estimate.ts'
import type { Folders } from './folders.ts'
import { lineUp } from './layers.ts'

const isInLine = ({ state }: Promotion): boolean => state === 'queued' || state === 'running'

/** Every promotion, newest first. `workers`: how many runs may be under way at once. */
export const transferSummaries = (db: Database, workers: number): TransferSummary[] => {
  const all = listPromotions(db).map((promotion) => ({ promotion, runs: runsOf(db, promotion.id) }))
  const line = all.filter(({ promotion }) => isInLine(promotion))
  const etas = forecastLine(line, Math.max(1, workers), paces(db))
  return all
    .map((entry) => ({
      ...summaryOfRuns(entry),
      reused: reusedRuns(db, entry.promotion.id),
      eta: etas.get(entry.promotion.id) ?? null,
      ahead: Math.max(0, line.indexOf(entry)),
    }))
    .reverse()
}

const summaryOfRuns = ({
  promotion,
  runs,
}: InLine): Pick<TransferSummary, 'promotion' | 'comparison' | 'runs' | 'progress'> => {
  const counts = { queued: 0, running: 0, done: 0, failed: 0 }
  for (const { state } of runs) counts[state] += 1
  const { layer, config } = promotion
  const layers = lineUp(layer, config).map(({ fingerprint, label, role }) => ({ fingerprint, label, role }))
  return {
    promotion,
    comparison: compare(layers, runs, TRANSFER_TASKS[config.task].measures),
    runs: counts,
    progress: runs.reduce((sum, run) => sum + partDone(run), 0) / Math.max(1, runs.length),
  }
}

/** A run that ended is done, however far it came. */
const partDone = ({ state, step, steps }: StoredRun): number =>
  state === 'done' || state === 'failed' ? 1 : Math.min(1, step / steps)

/** A promotion with its runs, their curves and the names of their pictures; null when there is none. */
export const transferDetail = (
  db: Database,
  folders: Folders,
  id: string,
  workers: number,
): TransferDetail | null => {
  const summary = transferSummaries(db, workers).find(({ promotion }) => promotion.id === id)
  if (!summary) return null
  const of = new Map(summary.comparison.map((row) => [row.fingerprint, row]))
  const runs = runsOf(db, id).map((run) => {
    const { label, role } = of.get(run.fingerprint)!
    return { run, label, role, curve: curveOf(db, run.key), pictures: folders.pictures(run.key) }
  })
  return { summary, runs }
}
