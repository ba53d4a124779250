/** Trains one layer on one architecture, without rejection and without the store. */
import { existsSync, readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { ARCHITECTURES } from '../../shared/catalog.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { KNOWN } from '../../shared/known.ts'
import type {
  ArchitectureConfig,
  ArchitectureName,
  EvaluationResult,
  EvaluationTask,
  SearchConfig,
} from '../../shared/records.ts'
import { parseGraph } from '../../shared/rules.ts'
import type { Outcome } from '../workers/pool.ts'
import { checkData, userPath } from './data.ts'
import { EXIT, UserError } from './errors.ts'
import { jsonOption, presetOption, seedOption, setOption, wholeNumber, workerOptions } from './options.ts'
import { configOf } from './search.ts'
import { openPool, type SessionOptions } from './session.ts'
import { duration, percent, table } from './text.ts'

type TrainOptions = SessionOptions & {
  readonly layer: string
  readonly data?: string
  readonly preset: SearchConfig['preset']
  readonly architecture: ArchitectureName
  readonly steps?: number
  readonly seed?: number
  readonly set: readonly string[]
  readonly json?: boolean
}

/** A known layer by name, or a layer in a JSON file. */
const layerOf = (given: string): Graph => {
  const known = KNOWN.find(({ name }) => name.toLowerCase() === given.toLowerCase())
  if (known) return known.graph
  const file = userPath(given)
  const names = KNOWN.map(({ name }) => name).join(', ')
  if (!existsSync(file)) throw new UserError(`--layer: needs a JSON file or one of ${names}, got "${given}"`)
  try {
    return parseGraph(readFileSync(file, 'utf8'), `--layer ${given}`)
  } catch (error) {
    throw new UserError((error as Error).message)
  }
}

const architectureOf = (config: SearchConfig, name: ArchitectureName): ArchitectureConfig =>
  config.architectures.find((architecture) => architecture.name === name) ?? { name, width: 0.25, depth: 1 }

const taskOf = (options: TrainOptions): EvaluationTask => {
  const config = configOf(options)
  const training = { ...config.training, steps: options.steps ?? config.training.steps }
  return {
    purpose: 'score',
    graph: layerOf(options.layer),
    seed: config.seed,
    data: checkData(config.data),
    architectures: [architectureOf(config, options.architecture)],
    training,
    rejection: null,
  }
}

const train = async (options: TrainOptions): Promise<number> => {
  const task = taskOf(options)
  const pool = openPool({ ...options, workers: 1 })
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  let outcome: Outcome
  try {
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
  if (outcome.kind === 'cancelled') return EXIT.interrupted
  if (outcome.kind !== 'result') {
    const message = outcome.kind === 'failure' ? outcome.failure.cause : outcome.message
    process.stderr.write(`normforge: ${message}\n`)
    return EXIT.failure
  }
  const { result } = outcome
  console.log(options.json ? JSON.stringify({ task, result }) : resultText(task, result))
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

export const addTrain = (program: Command): void => {
  const names = Object.keys(ARCHITECTURES)
  const command = program
    .command('train')
    .description('train one layer on one architecture')
    .requiredOption('--layer <layer>', 'the name of a known layer, or a JSON file')
    .option('--data <where>', 'as for search')
    .addOption(new Option('--architecture <name>', 'the network').choices(names).default('resnet'))
    .addOption(new Option('--steps <n>', 'training steps').argParser(wholeNumber(1)))
    .addOption(presetOption())
    .addOption(seedOption())
    .addOption(setOption())
  for (const option of [...workerOptions().slice(1), jsonOption()]) command.addOption(option)
  command.action(async (options: TrainOptions) => {
    process.exitCode = await train(options)
  })
}
