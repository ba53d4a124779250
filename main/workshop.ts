/** A store, worker processes, and what sets them to work: the same for every host and for the command line. */
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Made } from '../shared/records.ts'
import { createRunner, type Runner } from './search/runner.ts'
import type { Database } from './store/database.ts'
import { keepPrivate } from './store/private.ts'
import { openStore } from './store/store.ts'
import { createTransfers, type Transfers } from './transfer/transfers.ts'
import { madeBy } from './versions.ts'
import type { Pool } from './workers/pool.ts'

export const ENGINE = fileURLToPath(new URL('engine/evaluator.ts', import.meta.url))

/** What workers run: the environment may name another evaluator module than the engine's. */
export const evaluatorModule = (): string => process.env['NORMFORGE_EVALUATOR'] ?? ENGINE

export type Workshop = {
  readonly db: Database
  readonly pool: Pool
  readonly runner: Runner
  /** The store's transfers. From when they are first asked for, those in line are done here, unless another process does. */
  readonly transfers: () => Transfers
  /** Ends all work; what was running goes on at the next start. */
  close(): Promise<void>
}

export const openWorkshop = (dataFolder: string, openPool: () => Pool): Workshop => {
  const db = openStore(dataFolder)
  keepPrivate(dataFolder)
  const pool = openPool()
  const made = (): Made => ({ machine: hostname(), ...madeBy(), ...pool.facts() })
  const runner = createRunner({ db, pool, made })
  let transfers: Transfers | null = null
  return {
    db,
    pool,
    runner,
    transfers: () =>
      (transfers ??= createTransfers({ db, pool, dataFolder, searches: () => runner.atWork, made })),
    close: async () => {
      await Promise.all([runner.close(), transfers?.close()])
      pool.close()
      db.close()
    },
  }
}
