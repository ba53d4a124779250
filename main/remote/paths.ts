/** The user's files in tasks: on the way they are named by their fingerprints, on each machine by its own paths. */
import type { DataConfig } from '../../shared/records.ts'
import type { TransferConfig } from '../../shared/transfer.ts'

const MARK = 'sha256:'
export const markOf = (fingerprint: string): string => MARK + fingerprint
export const fingerprintIn = (path: string): string | null =>
  path.startsWith(MARK) ? path.slice(MARK.length) : null

type Replace = (path: string) => string

export const dataPaths = <D extends Pick<DataConfig, 'path'>>(data: D, replace: Replace): D =>
  data.path === undefined ? data : { ...data, path: replace(data.path) }

export const transferPaths = (config: TransferConfig, replace: Replace): TransferConfig => {
  switch (config.task) {
    case 'segmentation': {
      const { backbone, ...network } = config.network
      const lent = backbone === undefined ? {} : { backbone: replace(backbone) }
      return { ...config, data: dataPaths(config.data, replace), network: { ...network, ...lent } }
    }
    case 'synthesis': {
      const { inception, ...network } = config.network
      const judge = inception === undefined ? {} : { inception: replace(inception) }
      return { ...config, data: dataPaths(config.data, replace), network: { ...network, ...judge } }
    }
    case 'verification':
      return { ...config, data: dataPaths(config.data, replace) }
  }
}
