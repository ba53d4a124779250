/** The user's files in tasks: on the way they are named by their fingerprints, on each machine by its own paths. */
import type { DataConfig } from '../../shared/records.ts'
import { TRANSFER_TASKS, transferConfigSchema, type TransferConfig } from '../../shared/transfer.ts'

const MARK = 'sha256:'
export const markOf = (fingerprint: string): string => MARK + fingerprint
export const fingerprintIn = (path: string): string | null =>
  path.startsWith(MARK) ? path.slice(MARK.length) : null

type Replace = (path: string) => string

export const dataPaths = <D extends Pick<DataConfig, 'path'>>(data: D, replace: Replace): D =>
  data.path === undefined ? data : { ...data, path: replace(data.path) }

/** The files of a task's network are those that its descriptor names. */
export const transferPaths = (config: TransferConfig, replace: Replace): TransferConfig => {
  const { files } = TRANSFER_TASKS[config.task]
  const network = 'network' in config ? config.network : {}
  const named = Object.entries<unknown>(network).map(([name, value]): [string, unknown] => [
    name,
    files.includes(name) && typeof value === 'string' ? replace(value) : value,
  ])
  return transferConfigSchema.parse({
    ...config,
    data: dataPaths(config.data, replace),
    ...('network' in config && { network: Object.fromEntries<unknown>(named) }),
  })
}
