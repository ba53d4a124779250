import type { SearchSummary } from '../../shared/contract.ts'
import { PRESETS } from '../../shared/catalog.ts'

/** A search's summary as the page gets it: a demo search that is running. */
export const summaryOf = (
  id: string,
  search: Partial<SearchSummary['search']> = {},
  more: Partial<Omit<SearchSummary, 'search'>> = {},
): SearchSummary => ({
  search: {
    id,
    name: `Search ${id}`,
    createdAt: '2026-01-01T00:00:00Z',
    config: PRESETS.demo.config,
    state: 'running',
    stage: 'search',
    failure: null,
    seconds: 60,
    made: {},
    ...search,
  },
  funnel: {
    generated: 3,
    duplicate: 0,
    sameFunction: 0,
    static: 0,
    quality: 0,
    stability: 0,
    failed: 0,
    scored: 3,
    pending: 0,
  },
  best: null,
  rival: null,
  seedSpread: null,
  baselines: [],
  trend: [],
  progress: 0.5,
  eta: null,
  requeued: 0,
  ...more,
})
