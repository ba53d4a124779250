import type { Database } from '../store/database.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { openStore } from '../store/store.ts'
import { openPool as openMachinePool } from '../workers/open.ts'
import type { Pool } from '../workers/pool.ts'
import type { Xla } from '../workers/protocol.ts'
import { ENGINE, evaluatorModule, openWorkshop, type Workshop } from '../workshop.ts'

export type SessionOptions = {
  readonly dataFolder?: string
  readonly workers?: number
  readonly threads?: number
  readonly mixedPrecision?: boolean
  readonly xla?: Xla
}
export const openPool = ({ workers, threads, mixedPrecision, xla }: SessionOptions): Pool => {
  const evaluator = evaluatorModule()
  const onMeasure = (): void =>
    void process.stderr.write(
      'measuring how many workers this machine is quickest with (once, some seconds)\n',
    )
  const options = { mixedPrecision, xla }
  return openMachinePool({ workers, threads, options, evaluator, measure: evaluator === ENGINE, onMeasure })
}

/** The store, to look at only. */
export const openFolder = ({ dataFolder }: SessionOptions): Database =>
  openStore(dataFolder ?? defaultDataFolder(), 'read')

export const openSession = (options: SessionOptions): Workshop =>
  openWorkshop(options.dataFolder ?? defaultDataFolder(), () => openPool(options))
