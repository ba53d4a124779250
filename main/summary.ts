import type { SearchSummary } from '../shared/contract.ts'
import type { Search } from '../shared/records.ts'
import { isUnreadable, type Unreadable } from '../shared/records/unreadable.ts'
import { forecast } from './search/forecast.ts'
import type { Database } from './store/database.ts'
import { readOr } from './store/read-or.ts'
import { keyOf, readSearches } from './store/searches.ts'
import { seedSpread } from './transfer/spread.ts'
import { baselines, best, funnel, pace, requeued, rival, trend } from './store/summary.ts'

/** A search as the page's overview and the command line show it. */
export const summaryOf = (db: Database, search: Search, workers: number): SearchSummary => {
  const key = keyOf(db, search.id)
  const found = best(db, key)
  const { training, evolution } = search.config
  const steps = found?.purpose === 'rerank' ? evolution.rerank.steps : training.steps
  return {
    search,
    funnel: funnel(db, key),
    best: found,
    rival: rival(db, key, found?.purpose ?? 'score'),
    seedSpread: found && seedSpread(db, search.config, steps),
    baselines: baselines(db, key),
    trend: trend(db, key),
    ...forecast(search, pace(db, key), workers),
    requeued: requeued(db, key),
  }
}

/** Every search, newest first; one that can't be read stands in its place. `asEnded`: what is known of its end here. */
export const searchSummaries = (
  db: Database,
  workers: number,
  asEnded: (search: Search) => Search = (search) => search,
): (SearchSummary | Unreadable)[] =>
  readSearches(db).map((search) =>
    isUnreadable(search) ? search : readOr(() => summaryOf(db, asEnded(search), workers), search),
  )
