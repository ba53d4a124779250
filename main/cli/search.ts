import type { Command } from 'commander'
import { DATA_SETS, PRESETS } from '../../shared/catalog.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { searchConfigSchema } from '../../shared/records/search-config.ts'
import type { SplitChoice } from '../../shared/data.ts'
import { dataConfig, splitOptions, splitsOf, tellData } from './data.ts'
import { findSearch } from './find.ts'
import { follow } from './follow.ts'
import {
  dataFolderOption,
  jsonOption,
  presetOption,
  seedOption,
  setOption,
  workerOptions,
} from './options.ts'
import { openSession, type SessionOptions } from './session.ts'
import { applySettings } from './settings.ts'
import { note, oneLine } from './text.ts'

type SearchOptions = SessionOptions &
  SplitChoice & {
    readonly data?: string
    readonly preset: SearchConfig['preset']
    readonly seed?: number
    readonly space?: SearchConfig['space']
    readonly name?: string
    readonly set: readonly string[]
    readonly json?: boolean
  }

export const configOf = ({
  data,
  preset,
  seed,
  space,
  set,
  redis,
  ...splits
}: SearchOptions): SearchConfig => {
  const { config } = PRESETS[preset]
  const chosen = {
    ...config,
    seed: seed ?? config.seed,
    space: space ?? config.space,
    data: { ...dataConfig(data, config.data), ...splitsOf(splits) },
    evolution: { ...config.evolution, ...(redis === undefined ? {} : { asynchronous: true }) },
  }
  return applySettings(chosen, set, searchConfigSchema)
}

const search = async (options: SearchOptions): Promise<number> => {
  const config = configOf(options)
  const name = options.name ?? `${config.preset} on ${DATA_SETS[config.data.kind].label}, seed ${config.seed}`
  const session = await openSession(options)
  try {
    const data = !DATA_SETS[config.data.kind].needsPath
      ? undefined
      : await tellData(session.pool.check(config.data))
    const { id } = session.runner.create({ name, config, data })
    note(`search ${id}: ${oneLine(name)}`)
    return await follow(session, id, options.json ?? false)
  } finally {
    await session.close()
  }
}

const resume = async (prefix: string, options: SessionOptions & { json?: boolean }): Promise<number> => {
  const session = await openSession(options)
  try {
    const { id, config } = findSearch(session.db, prefix)
    if (DATA_SETS[config.data.kind].needsPath) await tellData(session.pool.check(config.data))
    session.runner.resume(id)
    return await follow(session, id, options.json ?? false)
  } finally {
    await session.close()
  }
}

export const addSearch = (program: Command): void => {
  const command = program
    .command('search')
    .description('evolve layers, from the first proposal to the re-ranking')
    .option(
      '--data <where>',
      '"shapes", a folder with CIFAR-10\'s binary files, or a folder of images a class',
    )
    .addOption(presetOption())
    .addOption(seedOption())
    .option('--space <B|S>', 'B with batch statistics, S without')
    .option('--name <name>', 'how the search is called')
    .addOption(setOption())
  for (const option of [...splitOptions(), ...workerOptions(), dataFolderOption(), jsonOption()])
    command.addOption(option)
  command.action(async (options: SearchOptions) => {
    process.exitCode = await search(options)
  })
}

export const addResume = (program: Command): void => {
  const command = program
    .command('resume')
    .description('go on with a search')
    .argument('<id>', 'its id, or how it begins')
  for (const option of [...workerOptions(), dataFolderOption(), jsonOption()]) command.addOption(option)
  command.action(async (id: string, options: SessionOptions & { json?: boolean }) => {
    process.exitCode = await resume(id, options)
  })
}
