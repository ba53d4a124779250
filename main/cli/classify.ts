/** Trains one layer on one architecture, without rejection and without the store. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Option, type Command } from 'commander'
import { ARCHITECTURES, DATA_SETS } from '../../shared/catalog.ts'
import { formulaText } from '../../shared/formula.ts'
import type {
  ArchitectureConfig,
  ArchitectureName,
  EvaluationResult,
  EvaluationTask,
  SearchConfig,
} from '../../shared/records.ts'
import type { Outcome } from '../workers/pool.ts'
import { stepReached } from '../engine/kept.ts'
import type { DataReport, SplitChoice } from '../../shared/data.ts'
import { splitOptions, tellData } from './data.ts'
import { userPath } from '../caller.ts'
import { diskSentence, requireWritable } from '../setup/disk.mjs'
import { EXIT, UserError } from './errors.ts'
import { layerOf } from './layer.ts'
import {
  dataFolderOption,
  factor,
  jsonOption,
  layerOption,
  presetOption,
  seedOption,
  setOption,
  wholeNumber,
  localOptions,
} from './options.ts'
import { configOf } from './search.ts'
import { openPool, type SessionOptions } from './session.ts'
import { duration, note, percent, print, table } from './text.ts'

type ClassifyOptions = SessionOptions &
  SplitChoice & {
    readonly layer: string
    readonly data?: string
    readonly preset: SearchConfig['preset']
    readonly architecture: ArchitectureName
    readonly width?: number
    readonly depth?: number
    readonly steps?: number
    readonly save?: string
    readonly saveEvery: number
    readonly seed?: number
    readonly set: readonly string[]
    readonly json?: boolean
  }

/** As the preset has it, but for what is asked for. */
const architectureOf = (
  { architectures }: SearchConfig,
  { architecture: name, width, depth }: ClassifyOptions,
): ArchitectureConfig => {
  const own = architectures.find((architecture) => architecture.name === name)
  return { name, width: width ?? own?.width ?? 0.25, depth: depth ?? own?.depth ?? 1 }
}

const taskOf = (options: ClassifyOptions): EvaluationTask => {
  const config = configOf(options)
  const training = { ...config.training, steps: options.steps ?? config.training.steps }
  return {
    purpose: 'score',
    graph: layerOf(options.layer, options).graph,
    seed: config.seed,
    data: config.data,
    architectures: [architectureOf(config, options)],
    training,
    rejection: null,
    ...(options.save === undefined
      ? {}
      : { keep: { file: userPath(options.save), every: options.saveEvery } }),
  }
}

/** Says from which step it goes on. Throws a UserError when the file can't be this training's. */
const checkSave = (task: EvaluationTask): void => {
  if (!task.keep) return
  const { file } = task.keep
  if (!existsSync(path.dirname(file)))
    throw new UserError(`--save: needs a folder that is there, got ${path.dirname(file)}`)
  try {
    const step = stepReached(file, task)
    if (step !== null) note(`goes on from step ${step} of ${task.training.steps}`)
    requireWritable(file)
  } catch (error) {
    throw new UserError(`--save: ${diskSentence(error) ?? (error as Error).message}`)
  }
}

const classify = async (options: ClassifyOptions): Promise<number> => {
  const task = taskOf(options)
  checkSave(task)
  const pool = openPool({ ...options, workers: 1 })
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => controller.abort())
  let outcome: Outcome
  let data: DataReport | undefined
  try {
    if (DATA_SETS[task.data.kind].needsPath) data = await tellData(pool.check(task.data))
    outcome = await pool.run({
      task,
      search: '',
      candidate: 0,
      signal: controller.signal,
      onProgress: ({ step, steps, loss }) => showStep(step, steps, loss),
    })
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\n')
    pool.close()
  }
  if (outcome.kind === 'cancelled') {
    if (task.keep) note('To go on: the same command again')
    return EXIT.interrupted
  }
  if (outcome.kind !== 'result') {
    const message = outcome.kind === 'failure' ? outcome.failure.cause : outcome.message
    note(`normforge: ${message}`)
    return EXIT.failure
  }
  const { result } = outcome
  print(options.json ? JSON.stringify({ task, ...(data ? { data } : {}), result }) : resultText(task, result))
  return EXIT.done
}

const showStep = (step: number, steps: number, loss: number | null): void => {
  if (!process.stderr.isTTY) return
  process.stderr.write(
    `\r\u001b[Kstep ${step} of ${steps}${loss === null ? '' : `, loss ${loss.toFixed(3)}`}`,
  )
}

const resultText = (
  { graph }: EvaluationTask,
  { scores, rejection, evaluations, seconds }: EvaluationResult,
): string => {
  const { architecture, parameters, curve } = evaluations[0]!
  const rows = curve
    .filter(({ accuracy }) => accuracy !== null)
    .map(({ step, loss, accuracy }) => [String(step), loss?.toFixed(4) ?? '-', percent(accuracy!)])
  return [
    formulaText(graph),
    `${ARCHITECTURES[architecture.name].label}, width ${architecture.width}, depth ${architecture.depth}, ` +
      `${parameters.toLocaleString('en')} parameters`,
    table(['step', 'loss', 'accuracy'], rows, [0, 1, 2]),
    scores
      ? `accuracy ${percent(scores[0]!)}, ${duration(seconds)}`
      : `diverged: ${rejection?.reason ?? 'no score'}, step ${rejection?.step ?? '-'}`,
  ].join('\n')
}

export const addClassify = (program: Command): void => {
  const names = Object.keys(ARCHITECTURES)
  const command = program
    .command('classify')
    .alias('train')
    .description('train one layer on one architecture, as long as asked for')
    .addOption(layerOption())
    .option('--data <where>', 'as for search')
    .option(
      '--save <file>',
      'keep the training there: the same command goes on from it, and segmentation can take a resnet as its backbone',
    )
    .addOption(
      new Option('--save-every <n>', 'steps between two writings of it')
        .argParser(wholeNumber(1))
        .default(100),
    )
    .addOption(new Option('--architecture <name>', 'the network').choices(names).default('resnet'))
    .addOption(new Option('--width <factor>', 'of its channels').argParser(factor))
    .addOption(new Option('--depth <factor>', 'of its blocks').argParser(factor))
    .addOption(new Option('--steps <n>', 'training steps').argParser(wholeNumber(1)))
    .addOption(presetOption())
    .addOption(seedOption())
    .addOption(setOption())
  for (const option of [...splitOptions(), ...localOptions().slice(1), dataFolderOption(), jsonOption()])
    command.addOption(option)
  command.action(async (options: ClassifyOptions) => {
    process.exitCode = await classify(options)
  })
}
