import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createRunner, type Runner } from '../../main/search/runner.ts'
import type { Database } from '../../main/store/database.ts'
import { candidateDetail, lineage } from '../../main/store/reading.ts'
import { keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { createPool, type Job, type Outcome, type Pool } from '../../main/workers/pool.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { createRandom } from '../../shared/random.ts'
import type { EvaluationTask, EvolutionConfig, Search, SearchConfig } from '../../shared/records.ts'
import { answer, STAND_IN } from '../workers/stand-in.ts'

/** A small search with a budget of candidates, so that it repeats exactly. */
export const smallConfig = (
  evolution: Partial<EvolutionConfig> = {},
  config: Partial<SearchConfig> = {},
): SearchConfig => {
  const demo = PRESETS.demo.config
  return {
    ...demo,
    baselines: ['BN-ReLU', 'GN-ReLU', 'LN-ReLU', 'BN-Swish', 'EvoNorm-B0', 'EvoNorm-S0'],
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

/** A store, workers and a runner. `pool` undefined: real worker processes that run the stand-in evaluator. */
export const openBench = (
  t: TestContext,
  {
    workers = 2,
    folder = temporaryFolder(t),
    pool: given,
  }: { workers?: number; folder?: string; pool?: Pool } = {},
): Bench => {
  const db = openStore(folder)
  const pool = given ?? createPool({ evaluator: STAND_IN, count: workers })
  const runner = createRunner({ db, pool, made: () => pool.facts() })
  t.after(async () => {
    await runner.close()
    pool.close()
    db.close()
  })
  return { db, pool, runner }
}

export type QuickPool = Pool & {
  /** Every task whose result was given, in that order. */
  readonly tasks: EvaluationTask[]
}

/**
 * The stand-in's answers without processes, after up to `longest` milliseconds each: results come in an order of
 * their own. `interfere` may answer in its place.
 */
export const quickPool = (
  seed: number,
  {
    longest = 4,
    interfere,
  }: { longest?: number; interfere?: (job: Job, index: number) => Outcome | null } = {},
): QuickPool => {
  const random = createRandom('quick pool', seed)
  const tasks: EvaluationTask[] = []
  let jobs = 0
  const run = (job: Job): Promise<Outcome> =>
    new Promise((resolve) => {
      if (job.signal.aborted) return resolve({ kind: 'cancelled' })
      const index = jobs++
      job.onStart?.()
      const timer = setTimeout(
        () => {
          const other = interfere?.(job, index)
          if (!other) tasks.push(job.task)
          resolve(other ?? { kind: 'result', result: answer(job.task) })
        },
        random.below(longest + 1),
      )
      job.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve({ kind: 'cancelled' })
      })
    })
  return {
    count: 64,
    run,
    tasks,
    transfer: () => Promise.reject(new Error('quick pool: has no tasks')),
    check: () => Promise.reject(new Error('quick pool: has no data')),
    checkTransfer: () => Promise.reject(new Error('quick pool: has no tasks')),
    facts: () => ({}),
    status: () => [],
    onStatus: () => () => true,
    close: () => undefined,
  }
}

/** A search from its start to its end. */
export const runToEnd = async ({ runner }: Bench, config: SearchConfig): Promise<Search> =>
  runner.ended(runner.create({ name: 'test', config }).id)

/** All that makes up the history of a search, times and machines left out; equal searches have equal histories. */
export const historyOf = (db: Database, id: string) => {
  const key = keyOf(db, id)
  return lineage(db, key).map((node) => {
    const { candidate, evaluations } = candidateDetail(db, key, node.number)!
    return { ...node, ...candidate, evaluations: evaluations.map(({ made: _made, ...rest }) => rest) }
  })
}
