/** The `--data` option: which data set a path or word means. */
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { DataConfig } from '../../shared/records.ts'
import { describeData } from '../engine/data/index.ts'
import { UserError } from './errors.ts'

/** npm runs scripts in the package's folder; the user's paths are relative to where npm was called. */
const here = (): string =>
  (process.env['npm_lifecycle_event'] === 'cli' && process.env['INIT_CWD']) || process.cwd()

export const userPath = (given: string): string => path.resolve(here(), given)

/**
 * `shapes`, a folder with CIFAR-10's binary files, or a folder with a folder of images a class. The numbers of
 * images stay those of `config`. Throws a UserError when it is none of these.
 */
export const dataConfig = (given: string | undefined, config: DataConfig): DataConfig => {
  const { path: _path, ...numbers } = config
  if (given === undefined) {
    if (config.kind === 'shapes') return config
    throw new UserError(`--data: this preset needs the path of a folder of ${config.kind}, got none`)
  }
  return given === 'shapes' ? { ...numbers, kind: 'shapes' } : { ...numbers, ...folder(given) }
}

/** The full path of a folder that is there. */
export const userFolder = (given: string): string => {
  const full = userPath(given)
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) return full
  throw new UserError(`--data: needs "shapes" or a folder, got "${given}"`)
}

/** What kind of classification data a folder holds. */
export const folder = (given: string): Pick<DataConfig, 'kind' | 'path'> => {
  const full = userFolder(given)
  const items = readdirSync(full, { withFileTypes: true })
  if (items.some(({ name }) => /^data_batch.*\.bin$/.test(name))) return { kind: 'cifar10', path: full }
  if (items.some((item) => item.isDirectory())) return { kind: 'folder', path: full }
  throw new UserError(
    `--data: ${given} needs CIFAR-10's data_batch_*.bin or a folder of images a class, has neither`,
  )
}

/** Throws a UserError when names and sizes of the files show already that the data can't be used. */
export const checkData = (config: DataConfig): DataConfig => {
  try {
    describeData(config)
    return config
  } catch (error) {
    throw new UserError((error as Error).message)
  }
}
