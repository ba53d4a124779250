/** What the searches of a study came to: the best found layer so far against trainings and compute, and paired tests. */
import { mean } from '../../shared/pareto.ts'
import { intervalOf, pairedP, quantile, type Interval } from '../../shared/statistics.ts'
import type { Database } from '../store/database.ts'
import { trainedInOrder } from '../store/reading.ts'
import { keyOf, listSearches } from '../store/searches.ts'
import { baselines } from '../store/summary.ts'
import { cellsOf, type Cell, type Plan } from './plan.ts'

/** After a training: how many there were, seconds of work of all workers so far, and the best found layer's score. */
export type Point = { readonly trained: number; readonly seconds: number; readonly best: number | null }
export type Run = Cell & {
  readonly search: string
  readonly points: readonly Point[]
  /** The best baseline's score, and how many trainings it took to pass it; null: never. */
  readonly baseline: number | null
  readonly passed: number | null
}
export type Test = {
  readonly arm: number
  readonly at: 'equal trainings' | 'equal compute'
  readonly pairs: number
  /** The arm less the first one, mean over the seeds. */
  readonly difference: number
  readonly interval: Interval | null
  readonly p: number | null
}
export type Results = {
  readonly plan: Plan
  readonly id: string
  readonly runs: readonly Run[]
  readonly tests: readonly Test[]
}

export const resultsOf = (db: Database, plan: Plan, id: string): Results => {
  const searches = new Map(listSearches(db).map((search) => [search.name, search]))
  const runs = cellsOf(plan, id).flatMap((cell): Run[] => {
    const search = searches.get(cell.name)
    if (search?.state !== 'done') return []
    const key = keyOf(db, search.id)
    let [seconds, best] = [0, null as number | null]
    const points = trainedInOrder(db, key).map((row, i): Point => {
      seconds += row.seconds
      if (row.found && row.average !== null) best = Math.max(best ?? 0, row.average)
      return { trained: i + 1, seconds, best }
    })
    const known = baselines(db, key).flatMap(({ scores }) => (scores ? [mean(scores)] : []))
    const baseline = known.length > 0 ? Math.max(...known) : null
    const passed = points.find((point) => baseline !== null && point.best !== null && point.best > baseline)
    return [{ ...cell, search: search.id, points, baseline, passed: passed?.trained ?? null }]
  })
  const tests = plan.arms
    .slice(1)
    .flatMap((_, i) => (['equal trainings', 'equal compute'] as const).map((at) => testOf(runs, i + 1, at)))
  return { plan, id, runs, tests }
}

/** The best so far after so many trainings, or so many seconds; 0 before the first found layer has a score. */
export const bestAt = (points: readonly Point[], by: 'trained' | 'seconds', most: number): number =>
  points.findLast((point) => point[by] <= most)?.best ?? 0

const testOf = (runs: readonly Run[], arm: number, at: Test['at']): Test => {
  const by = at === 'equal trainings' ? 'trained' : 'seconds'
  const differences = runs.flatMap((own) => {
    const other = runs.find(({ arm, seed }) => arm === 0 && seed === own.seed)
    if (own.arm !== arm || !other) return []
    const most = Math.min(...[own, other].map(({ points }) => points.at(-1)?.[by] ?? 0))
    return [bestAt(own.points, by, most) - bestAt(other.points, by, most)]
  })
  return {
    arm,
    at,
    pairs: differences.length,
    difference: differences.length > 0 ? mean(differences) : 0,
    interval: intervalOf(differences),
    p: pairedP(differences),
  }
}

export type Band = {
  readonly at: number
  readonly low: number
  readonly middle: number
  readonly high: number
}

/** Median and quartiles over an arm's seeds, at `count` places up to where its shortest run ends. */
export const bandsOf = (
  runs: readonly Run[],
  arm: number,
  by: 'trained' | 'seconds',
  count = 100,
): Band[] => {
  const own = runs.filter((run) => run.arm === arm)
  const end = Math.min(...own.map(({ points }) => points.at(-1)?.[by] ?? 0))
  if (own.length === 0 || end === 0) return []
  return Array.from({ length: count }, (_, i) => {
    const at = ((i + 1) * end) / count
    const values = own.map(({ points }) => bestAt(points, by, at))
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share))
    return { at, low: low!, middle: middle!, high: high! }
  })
}
