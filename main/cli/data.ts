/** The `--data` option: which data set a path or word means. */
import path from 'node:path'
import { Option } from 'commander'
import { DATA_SETS } from '../../shared/catalog.ts'
import { noteText, reportLines, splitText, type DataReport, type SplitChoice } from '../../shared/data.ts'
import type { DataConfig } from '../../shared/records.ts'
import { userPath } from '../caller.ts'
import { kindAt, readFolder, type Entry } from '../files.ts'
import { UserError } from './errors.ts'
import { note } from './text.ts'

const dataSetNames = Object.keys(DATA_SETS) as DataConfig['kind'][]

/**
 * `shapes`, a folder with CIFAR-10's binary files, or a folder with a folder of images a class. The numbers of
 * images stay those of `config`. Throws a UserError when it is none of these.
 */
export const dataConfig = (given: string | undefined, config: DataConfig): DataConfig => {
  const { path: _path, ...numbers } = config
  if (given === undefined) {
    if (!DATA_SETS[config.kind].needsPath) return config
    throw new UserError(`--data: this preset needs the path of a folder of ${config.kind}, got none`)
  }
  const made = dataSetNames.find((kind) => kind === given && !DATA_SETS[kind].needsPath)
  return made ? { ...numbers, kind: made } : { ...numbers, ...folder(given) }
}

/** The full path of a folder that is there. */
export const userFolder = (given: string): string => {
  const full = userPath(given)
  // An empty text would be the folder at hand.
  if (given !== '' && kindAt(full) === 'folder') return full
  throw new UserError(`--data: needs "shapes" or a folder, got "${given}"`)
}

/** What kind of classification data a folder holds. */
export const folder = (given: string): Pick<DataConfig, 'kind' | 'path'> => {
  const full = userFolder(given)
  const items = itemsOf(full)
  const isBatch = ({ name }: Entry): boolean => /^data_batch.*\.bin$/.test(name)
  if (items.some(isBatch)) return { kind: 'cifar10', path: full }
  const folders = items.filter(({ kind }) => kind === 'folder').map(({ name }) => path.join(full, name))
  const inside = folders.length === 1 && itemsOf(folders[0]!).some(isBatch)
  if (inside)
    throw new UserError(`--data: ${given}: the folder ${folders[0]} has CIFAR-10's files: give that`)
  if (folders.length > 0) return { kind: 'folder', path: full }
  throw new UserError(
    `--data: ${given} needs CIFAR-10's data_batch_*.bin or a folder of images a class, has neither`,
  )
}

const itemsOf = (full: string): Entry[] => {
  try {
    return readFolder(full, '--data')
  } catch (error) {
    throw new UserError((error as Error).message)
  }
}

export const splitOptions = (): Option[] => [
  new Option(
    '--training-split <name>',
    'which part of the folder trains, where several could: the <split> of instances_<split>.json, or a sub-folder ("." is the folder itself)',
  ),
  new Option('--validation-split <name>', 'which part validates; the same as for training: held out of it'),
]

/** The options, where they are given. */
export const splitsOf = ({ trainingSplit, validationSplit }: SplitChoice): SplitChoice => ({
  ...(trainingSplit === undefined ? {} : { trainingSplit }),
  ...(validationSplit === undefined ? {} : { validationSplit }),
})

/**
 * Says on stderr what is in the data, before anything trains on them. Throws a UserError when they can't be used, or the
 * choice of their parts is the user's.
 */
export const tellData = async (checked: Promise<DataReport>): Promise<DataReport> => {
  const report = await checked.catch((error: Error) => {
    throw new UserError(error.message)
  })
  const { question, splits, notes } = report
  if (question !== null)
    throw new UserError(
      [
        `${question} Choose with --training-split and --validation-split:`,
        ...splits.map((split) => `  ${splitText(split)}`),
        ...notes.map((note) => `  ${noteText(note)}`),
      ].join('\n'),
    )
  note(`data: ${reportLines(report).join('\n  ')}`)
  return report
}
