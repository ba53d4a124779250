/** Compares ways to search under one budget, over several seeds: one search after another, kept in the store. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { DATA_SETS } from '../../shared/catalog.ts'
import type { SplitChoice } from '../../shared/data.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { searchConfigSchema } from '../../shared/records/search-config.ts'
import { kindAt, readText } from '../files.ts'
import { makeFolder } from '../setup/disk.mjs'
import { listSearches } from '../store/searches.ts'
import { chartOf } from '../study/chart.ts'
import { cellsOf, PLANS, planSchema, studyId, type Cell, type Plan } from '../study/plan.ts'
import { csvOf, HEAD, pageOf, rowsOf, testText } from '../study/report.ts'
import { resultsOf, type Results } from '../study/results.ts'
import type { Workshop } from '../workshop.ts'
import { splitOptions, tellData } from './data.ts'
import { userPath } from '../caller.ts'
import { EXIT, UserError } from './errors.ts'
import {
  dataFolderOption,
  jsonOption,
  presetOption,
  setOption,
  wholeNumber,
  workerOptions,
} from './options.ts'
import { configOf } from './search.ts'
import { openSession, type SessionOptions } from './session.ts'
import { applySettings } from './settings.ts'
import { note, print, table } from './text.ts'

type Options = SessionOptions &
  SplitChoice & {
    readonly plan: string
    readonly data?: string
    readonly preset: SearchConfig['preset']
    readonly set: readonly string[]
    readonly seeds?: number
    readonly trained?: number
    readonly out?: string
    readonly json?: boolean
  }

const planOf = ({ plan: given, seeds, trained }: Options): Plan => {
  const plan = PLANS[given] ?? planIn(given)
  return {
    ...plan,
    trained: trained ?? plan.trained,
    seeds:
      seeds === undefined ? plan.seeds : Array.from({ length: seeds }, (_, i) => (plan.seeds[0] ?? 1) + i),
  }
}

const planIn = (given: string): Plan => {
  const file = userPath(given)
  if (kindAt(file) === null)
    throw new UserError(
      `--plan: needs a JSON file or one of ${Object.keys(PLANS).join(', ')}, got "${given}"`,
    )
  try {
    return planSchema.parse(JSON.parse(readText(file, { who: '--plan', most: 2 ** 20 })))
  } catch (error) {
    throw new UserError(`--plan: ${given}: ${(error as Error).message}`)
  }
}

/** A search without limits but the number of layers trained, and nothing after it. */
const configFor = (config: SearchConfig, { arms, trained }: Plan, { arm, seed }: Cell): SearchConfig =>
  applySettings(
    {
      ...config,
      seed,
      evolution: { ...config.evolution, maxTrained: trained, maxSeconds: 0, rerank: { count: 0, steps: 0 } },
    },
    arms[arm]!.set,
    searchConfigSchema,
  )

const study = async (options: Options): Promise<number> => {
  const plan = planOf(options)
  const config = configOf(options)
  const id = studyId(plan, config)
  const cells = cellsOf(plan, id)
  const configs = cells.map((cell) => configFor(config, plan, cell))
  const session = await openSession(options)
  try {
    const data = !DATA_SETS[config.data.kind].needsPath
      ? undefined
      : await tellData(session.pool.check(config.data))
    for (const [i, cell] of cells.entries()) {
      const state = await searched(session, cell, configs[i]!, data)
      if (state !== 'done') {
        note(`study ${id}: ${cell.name} is ${state}. To go on: the same command again`)
        return state === 'failed' ? EXIT.failure : EXIT.interrupted
      }
      note(`${i + 1} of ${cells.length} searches done: ${cell.name}`)
      if (options.out !== undefined) write(resultsOf(session.db, plan, id), config, userPath(options.out))
    }
    const results = resultsOf(session.db, plan, id)
    print(options.json ? JSON.stringify(results) : textOf(results))
    return EXIT.done
  } finally {
    await session.close()
  }
}

/** The search of a cell, begun, gone on with or there already; how it ended. Ctrl-C pauses it. */
const searched = async (
  { db, runner }: Workshop,
  { name }: Cell,
  config: SearchConfig,
  data: Parameters<Workshop['runner']['create']>[0]['data'],
): Promise<string> => {
  const before = listSearches(db).find((search) => search.name === name)
  if (before?.state === 'done') return 'done'
  if (before) runner.resume(before.id)
  const id = before?.id ?? runner.create({ name, config, data }).id
  const interrupt = (): void => void runner.pause(id)
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  const { state, failure } = await runner.ended(id)
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)
  if (failure !== null) note(failure)
  return state
}

const settingOf = ({ preset, data, training, architectures }: SearchConfig, { trained }: Plan): string =>
  `${preset} preset on ${DATA_SETS[data.kind].label}, ${architectures.length} networks, ${training.steps} steps a training, ` +
  `${trained} layers trained by each search`

const textOf = (results: Results): string =>
  [
    results.plan.title,
    '',
    table(HEAD, rowsOf(results), [1, 2, 3, 4]),
    '',
    ...results.tests.map((test) => `  ${testText(results, test)}`),
    ...(results.plan.paper ? ['', `  ${results.plan.paper}`] : []),
  ].join('\n')

const write = (results: Results, config: SearchConfig, folder: string): void => {
  makeFolder(folder)
  const files = {
    'study.csv': csvOf(results),
    'trainings.svg': chartOf(results, 'trained'),
    'compute.svg': chartOf(results, 'seconds'),
    'study.html': pageOf(results, settingOf(config, results.plan)),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
}

export const addStudy = (program: Command): void => {
  const command = program
    .command('study')
    .description('compare ways to search over several seeds, under the same budget')
    .requiredOption('--plan <plan>', `a JSON file, or one of ${Object.keys(PLANS).join(', ')}`)
    .option('--data <where>', 'as for search')
    .option('--seeds <n>', "so many seeds (default: the plan's)", wholeNumber(2, 50))
    .option('--trained <n>', "layers trained by each search (default: the plan's)", wholeNumber(2))
    .option('--out <folder>', 'where CSV, SVG and an HTML page are written')
    .addOption(presetOption())
    .addOption(setOption())
  for (const option of [...splitOptions(), ...workerOptions(), dataFolderOption(), jsonOption()])
    command.addOption(option)
  command.action(async (options: Options) => {
    process.exitCode = await study(options)
  })
}
