import type { Address } from '../remote/address.ts'
import { openRemotePool } from '../remote/host.ts'
import type { Database } from '../store/database.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { openStore } from '../store/store.ts'
import { logsIn } from '../workers/log.ts'
import { openPool as openMachinePool } from '../workers/open.ts'
import type { Pool } from '../workers/pool.ts'
import type { Xla } from '../workers/protocol.ts'
import { userPath } from '../caller.ts'
import { note } from './text.ts'
import { ENGINE, evaluatorModule, openWorkshop, type Workshop } from '../workshop.ts'

export type RedisOptions = { readonly redis?: string; readonly redisCa?: string }
export type SessionOptions = RedisOptions & {
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

export const addressOf = ({ redis, redisCa }: RedisOptions): Address | null =>
  redis === undefined ? null : { url: redis, ca: redisCa === undefined ? undefined : userPath(redisCa) }

/** The workers are on the machines behind Redis where one is named, else here. */
export const openSession = async (options: SessionOptions): Promise<Workshop> => {
  const address = addressOf(options)
  const dataFolder = options.dataFolder ?? defaultDataFolder()
  const logs = logsIn(dataFolder)
  const open = address
    ? await openRemotePool({ address, local: openPool({ ...options, workers: 1 }, logs), note })
    : null
  return openWorkshop(dataFolder, () => open ?? openPool(options, logs))
}
