import { DATA_SETS } from '../../../shared/catalog.ts'
import type { DataReport } from '../../../shared/data.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { loadCifar10 } from './cifar10.ts'
import type { LoadedData } from './dataset.ts'
import { loadFolder, openFolder } from './folder.ts'
import { loadShapes, reportShapes } from './shapes/index.ts'

type Source = {
  /** Throws where the data can't be used, or have to be asked about. */
  load(config: DataConfig): LoadedData | Promise<LoadedData>
  /** What `load` would find, or a question. */
  check(config: DataConfig): DataReport | Promise<DataReport>
}
const SOURCES: Readonly<Record<DataConfig['kind'], Source>> = {
  shapes: { load: loadShapes, check: reportShapes },
  cifar10: { load: loadCifar10, check: (config) => loadCifar10(config).report },
  folder: { load: loadFolder, check: async (config) => (await openFolder(config)).report },
}

const requirePath = ({ kind, path }: DataConfig): void => {
  if (DATA_SETS[kind].needsPath && !path)
    throw new Error(`data: ${kind} needs the path of a folder, got none`)
}

/** Reads all of a data set and says what is in it, so that no fault shows after the start. Throws when it can't be used. */
export const checkData = async (config: DataConfig): Promise<DataReport> => {
  requirePath(config)
  return SOURCES[config.kind].check(config)
}

const cache = new Map<string, Promise<LoadedData>>()

/** The data set of a config; kept in memory, since every candidate of a search trains on the same one. */
export const loadData = (config: DataConfig): Promise<LoadedData> => {
  const key = JSON.stringify(config)
  let data = cache.get(key)
  if (!data) {
    data = (async () => {
      requirePath(config)
      return SOURCES[config.kind].load(config)
    })()
    cache.clear()
    cache.set(key, data)
    data.catch(() => cache.delete(key))
  }
  return data
}
