import type { Database } from '../store/database.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { openStore } from '../store/store.ts'
import { logsIn } from '../workers/log.ts'
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
  readonly inspectWorker?: number
}
/** The workers; `logFolder` undefined: without a log. */
export const openPool = (
  { workers, threads, mixedPrecision, xla, inspectWorker }: SessionOptions,
  logFolder?: string,
): Pool => {
  const evaluator = evaluatorModule()
  const onMeasure = (): void =>
    void process.stderr.write(
      'measuring how many workers this machine is quickest with (once, some seconds)\n',
    )
  const options = { mixedPrecision, xla }
  const measure = evaluator === ENGINE
  return openMachinePool({
    ...{ workers, threads, options, evaluator, measure, onMeasure },
    ...{ inspectWorker, logFolder },
  })
}

/** The store, to look at only. */
export const openFolder = ({ dataFolder }: SessionOptions): Database =>
  openStore(dataFolder ?? defaultDataFolder(), 'read')

export const openSession = (options: SessionOptions): Workshop => {
  const dataFolder = options.dataFolder ?? defaultDataFolder()
  return openWorkshop(dataFolder, () => openPool(options, logsIn(dataFolder)))
}
