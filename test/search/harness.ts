import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createRunner, type Runner } from '../../main/search/runner.ts'
import type { Database } from '../../main/store/database.ts'
import { lineage } from '../../main/store/reading.ts'
import { keyOf } from '../../main/store/searches.ts'
import { entries } from '../../main/store/candidates.ts'
import { openStore } from '../../main/store/store.ts'
import { createPool, type Pool } from '../../main/workers/pool.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { EvolutionConfig, Search, SearchConfig } from '../../shared/records.ts'
import { STAND_IN } from '../workers/stand-in.ts'

/** A small search with a budget of candidates, so that it repeats exactly. */
export const smallConfig = (
  evolution: Partial<EvolutionConfig> = {},
  config: Partial<SearchConfig> = {},
): SearchConfig => {
  const demo = PRESETS.demo.config
  return {
    ...demo,
    ...config,
    evolution: {
      ...demo.evolution,
      population: 12,
      tournament: 0.3,
      initialSize: 8,
      maxTrained: 25,
      maxSeconds: 0,
      inFlight: 3,
      rerank: { count: 3, steps: 400 },
      ...evolution,
    },
  }
}

export const temporaryFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'normforge-search-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export type Bench = { readonly db: Database; readonly pool: Pool; readonly runner: Runner }

/** A store with real worker processes that run the stand-in evaluator. */
export const openBench = (
  t: TestContext,
  { workers = 2, folder = temporaryFolder(t) }: { workers?: number; folder?: string } = {},
): Bench => {
  const db = openStore(folder)
  const pool = createPool({ evaluator: STAND_IN, count: workers })
  const runner = createRunner({ db, pool, made: () => pool.facts() })
  t.after(async () => {
    await runner.close()
    pool.close()
    db.close()
  })
  return { db, pool, runner }
}

/** A search from its start to its end. */
export const runToEnd = async ({ runner }: Bench, config: SearchConfig): Promise<Search> =>
  runner.ended(runner.create({ name: 'test', config }).id)

/** All that makes up the history of a search; equal searches have equal histories. */
export const historyOf = (db: Database, id: string) => {
  const key = keyOf(db, id)
  const nodes = lineage(db, key)
  return entries(db, key).map((entry, i) => ({ ...entry, ...nodes[i]! }))
}
