import { fileURLToPath } from 'node:url'
import { createRunner, type Runner } from '../search/runner.ts'
import type { Database } from '../store/database.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { openStore } from '../store/store.ts'
import { madeBy } from '../versions.ts'
import { openPool as openMachinePool } from '../workers/open.ts'
import type { Pool } from '../workers/pool.ts'
import type { Xla } from '../workers/protocol.ts'

export type SessionOptions = {
  readonly dataFolder?: string
  readonly workers?: number
  readonly threads?: number
  readonly mixedPrecision?: boolean
  readonly xla?: Xla
}
export type Session = {
  readonly db: Database
  readonly pool: Pool
  readonly runner: Runner
  close(): Promise<void>
}

const ENGINE = fileURLToPath(new URL('../engine/evaluator.ts', import.meta.url))

/** Worker processes. The environment may name another evaluator module than the engine's. */
export const openPool = ({ workers, threads, mixedPrecision, xla }: SessionOptions): Pool => {
  const evaluator = process.env['NORMFORGE_EVALUATOR'] ?? ENGINE
  const onMeasure = (): void =>
    void process.stderr.write(
      'measuring how many workers this machine is quickest with (once, some seconds)\n',
    )
  const options = { mixedPrecision, xla }
  return openMachinePool({ workers, threads, options, evaluator, measure: evaluator === ENGINE, onMeasure })
}

export const openFolder = ({ dataFolder }: SessionOptions): Database =>
  openStore(dataFolder ?? defaultDataFolder())

/** The store, worker processes and what runs searches with them. */
export const openSession = (options: SessionOptions): Session => {
  const db = openFolder(options)
  const pool = openPool(options)
  const runner = createRunner({ db, pool, made: () => ({ ...madeBy(), ...pool.facts() }) })
  const close = async (): Promise<void> => {
    await runner.close()
    pool.close()
    db.close()
  }
  return { db, pool, runner, close }
}
