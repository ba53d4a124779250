import type { DataReport } from '../../../shared/contract.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { countCifar10, loadCifar10 } from './cifar10.ts'
import type { DataSet } from './dataset.ts'
import { countFolder, loadFolder } from './folder.ts'
import { countShapes, loadShapes } from './shapes/index.ts'

type Source = {
  count(config: DataConfig): { classes: string[]; images: number }
  load(config: DataConfig): DataSet | Promise<DataSet>
}
const SOURCES: Readonly<Record<DataConfig['kind'], Source>> = {
  shapes: { count: countShapes, load: loadShapes },
  cifar10: { count: countCifar10, load: loadCifar10 },
  folder: { count: countFolder, load: loadFolder },
}

/** What a data config gives, from names and sizes of files alone. Throws when it can't be used. */
export const describeData = (config: DataConfig): DataReport => {
  if (config.kind !== 'shapes' && !config.path)
    throw new Error(`data: ${config.kind} needs the path of a folder, got none`)
  const { classes, images } = SOURCES[config.kind].count(config)
  const rest = images - config.validationImages
  if (rest < 1)
    throw new Error(`data: ${config.validationImages} validation images leave none of ${images} for training`)
  const trainingImages = config.trainingImages > 0 ? Math.min(config.trainingImages, rest) : rest
  return { data: config, classes, trainingImages, validationImages: config.validationImages }
}

const cache = new Map<string, Promise<DataSet>>()

/** The data set of a config; kept in memory, since every candidate of a search trains on the same one. */
export const loadData = (config: DataConfig): Promise<DataSet> => {
  const key = JSON.stringify(config)
  let data = cache.get(key)
  if (!data) {
    data = (async () => {
      describeData(config)
      return SOURCES[config.kind].load(config)
    })()
    cache.clear()
    cache.set(key, data)
    data.catch(() => cache.delete(key))
  }
  return data
}
