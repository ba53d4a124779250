import path from 'node:path'
import { Option, type Command } from 'commander'
import type { PresetName } from '../../shared/records.ts'
import {
  needsFiles,
  networkFilesOf,
  TRANSFER_TASK_NAMES,
  TRANSFER_TASKS,
  transferConfigSchema,
  transferPreset,
  type TransferConfig,
  type TransferTaskName,
} from '../../shared/transfer.ts'
import type { SplitChoice } from '../../shared/data.ts'
import { kindAt } from '../files.ts'
import { folder, splitOptions, splitsOf, tellData, userFolder } from './data.ts'
import { userPath } from '../caller.ts'
import { UserError } from './errors.ts'
import { followTransfer } from './follow-transfer.ts'
import { layerReference } from './layer.ts'
import {
  dataFolderOption,
  jsonOption,
  layerOption,
  presetOption,
  seedOption,
  setOption,
  workerOptions,
} from './options.ts'
import { openSession, type SessionOptions } from './session.ts'
import { applySettings } from './settings.ts'

type Options = SessionOptions &
  SplitChoice & {
    readonly layer: string
    readonly task: TransferTaskName
    readonly data?: string
    readonly preset: PresetName
    readonly seed?: number
    readonly set: readonly string[]
    readonly json?: boolean
  }

export const transferConfigOf = ({ task, preset, data, seed, set, ...splits }: Options): TransferConfig => {
  const config = transferPreset(task, preset)
  const chosen = {
    ...config,
    seed: seed ?? config.seed,
    data: { ...dataOf(config, data), ...splitsOf(splits) },
  }
  return withFullPaths(applySettings<TransferConfig>(chosen as TransferConfig, set, transferConfigSchema))
}

/** The user's paths are relative to where the command was called, a worker's are not. */
const withFullPaths = (config: TransferConfig): TransferConfig => {
  const files = Object.entries(networkFilesOf(config)).map(([name, file]) => [name, userPath(file)] as const)
  if (files.length === 0) return config
  const network = 'network' in config ? config.network : {}
  return transferConfigSchema.parse({ ...config, network: { ...network, ...Object.fromEntries(files) } })
}

/** `shapes`, or a folder of what the task can use. */
const dataOf = ({ task, data }: TransferConfig, given: string | undefined): TransferConfig['data'] => {
  const { path: _path, ...numbers } = data
  if (given === undefined) {
    const { needsPath, label } = TRANSFER_TASKS[task].dataSets[data.kind]!
    if (!needsPath) return data
    throw new UserError(`--data: this preset needs the path of a folder (${label}), got none`)
  }
  const made = TRANSFER_TASKS[task].dataSets[given]
  if (made && !made.needsPath) return { ...numbers, kind: given } as TransferConfig['data']
  return { ...numbers, ...FOLDERS[task](given) } as TransferConfig['data']
}

/** A data set, and the folder it is in. */
type FoundData = { readonly kind: string; readonly path?: string | undefined }

const cocoFolder = (given: string): FoundData => {
  const full = userFolder(given)
  if (kindAt(path.join(full, 'annotations')) === 'folder') return { kind: 'coco', path: full }
  throw new UserError(`--data: ${given} needs annotations/instances_<split>.json beside <split>/, has none`)
}

/** How each task tells what a folder of the user's holds. */
const FOLDERS: Readonly<Record<TransferTaskName, (given: string) => FoundData>> = {
  segmentation: cocoFolder,
  synthesis: folder,
  verification: folder,
}

const transfer = async (options: Options): Promise<number> => {
  const config = transferConfigOf(options)
  const session = await openSession(options)
  try {
    const layer = layerReference(options.layer, () => session.db)
    const transfers = session.transfers()
    const tell = needsFiles(config) ? tellData : undefined
    const { summary, existing } = await transfers.promote(layer, config, tell)
    const { id, state } = summary.promotion
    if (existing && (state === 'paused' || state === 'failed')) transfers.resume(id)
    return await followTransfer(session, id, options.json ?? false)
  } finally {
    await session.close()
  }
}

export const addTransfer = (program: Command): void => {
  const command = program
    .command('transfer')
    .description('put a layer to another task, beside baselines with the same budget and seeds')
    .addOption(layerOption())
    .addOption(new Option('--task <task>', 'the task').choices(TRANSFER_TASK_NAMES).makeOptionMandatory())
    .option('--data <where>', '"shapes", or a folder: COCO for segmentation, else as for search')
    .addOption(presetOption())
    .addOption(seedOption())
    .addOption(setOption())
  for (const option of [...splitOptions(), ...workerOptions(), dataFolderOption(), jsonOption()])
    command.addOption(option)
  command.action(async (options: Options) => {
    process.exitCode = await transfer(options)
  })
}
