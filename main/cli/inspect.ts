/** What the engine makes of a layer, from its derivative to the graph that TensorFlow gets. */
import { writeFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { ARCHITECTURES, PRESETS } from '../../shared/catalog.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import type { ArchitectureConfig, ArchitectureName, PresetName } from '../../shared/records.ts'
import { formulasOf } from '../engine/inspect/formulas.ts'
import { bytesKept, passLines, planLines, programLines } from '../engine/inspect/listings.ts'
import { diskSentence } from '../setup/disk.mjs'
import { userPath } from '../caller.ts'
import { UserError } from './errors.ts'
import { layerOf } from './layer.ts'
import { dataFolderOption, factor, presetOption } from './options.ts'
import type { SessionOptions } from './session.ts'
import { note, print } from './text.ts'

const WHAT = ['derivative', 'program', 'plan', 'graph', 'passes'] as const
type Options = SessionOptions & {
  readonly what: (typeof WHAT)[number]
  readonly preset: PresetName
  readonly architecture?: ArchitectureName
  readonly width?: number
  readonly depth?: number
  readonly out?: string
}

/** The engine is only loaded for what needs it: that takes half a second. */
const stepOf = async (graph: Graph, { preset, architecture = 'resnet', width, depth }: Options) => {
  const { recordedStep, graphLines } = await import('../engine/inspect/recorded.ts')
  const { architectures, training, data } = PRESETS[preset].config
  const own = architectures.find(({ name }) => name === architecture)
  const config: ArchitectureConfig = {
    name: architecture,
    width: width ?? own?.width ?? 0.25,
    depth: depth ?? own?.depth ?? 1,
  }
  const step = recordedStep(config, graph, { training, imageSize: data.imageSize })
  return { step, config, training, lines: () => graphLines(step) }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** What a network's sites keep together. */
const keptLines = async (graph: Graph, options: Options): Promise<string[]> => {
  const { step, config, training } = await stepOf(graph, options)
  const name = `${ARCHITECTURES[config.name].label}, width ${config.width}, depth ${config.depth}, batch ${training.batchSize}`
  if (step.sites === null) return [`${name}: its sites are told where the engine's own kernels are there`]
  const { x, others } = bytesKept(graph, step.sites)
  return [`${name}: ${step.sites.length} sites keep x, ${mebibytes(x)}, and ${mebibytes(others)} besides`]
}

const linesOf = async (graph: Graph, options: Options): Promise<readonly string[]> => {
  switch (options.what) {
    case 'derivative':
      return formulasOf(graph)
    case 'program':
      return programLines(graph)
    case 'plan':
      return planLines(graph)
    case 'passes':
      return options.architecture
        ? [...passLines(graph), ...(await keptLines(graph, options))]
        : passLines(graph)
    case 'graph': {
      const { step, lines } = await stepOf(graph, options)
      if (options.out === undefined) return lines()
      const file = userPath(options.out)
      try {
        writeFileSync(file, step.bytes)
      } catch (error) {
        throw new UserError(`--out: ${diskSentence(error) ?? (error as Error).message}`)
      }
      note(`${file}: ${step.ops.length} nodes, a GraphDef, as TensorFlow and Netron read it`)
      return []
    }
  }
}

const inspect = async (layer: string, options: Options): Promise<void> => {
  if (options.out !== undefined && options.what !== 'graph')
    throw new UserError(`--out: needs --what graph, got --what ${options.what}`)
  const { graph, label } = layerOf(layer, options)
  const lines = await linesOf(graph, options)
  if (lines.length > 0) print([`${label}: ${formulaText(graph)}`, ...lines].join('\n'))
}

export const addInspect = (program: Command): void => {
  program
    .command('inspect')
    .description('what the engine makes of a layer')
    .argument('<layer>', 'a known layer, <search>:<number>, or a JSON file')
    .addOption(
      new Option(
        '--what <what>',
        "its derivative as formulas, the program's instructions, the kernel's plan, the graph that TensorFlow gets, or passes over memory and what is kept",
      )
        .choices(WHAT)
        .default('derivative'),
    )
    .addOption(
      new Option(
        '--architecture <name>',
        "the network, of the graph and of what is kept (graph's default: resnet)",
      ).choices(Object.keys(ARCHITECTURES)),
    )
    .addOption(presetOption())
    .addOption(new Option('--width <factor>', 'of its channels').argParser(factor))
    .addOption(new Option('--depth <factor>', 'of its blocks').argParser(factor))
    .option('--out <file.pb>', 'the graph as a GraphDef, as TensorFlow and Netron read it')
    .addOption(dataFolderOption())
    .action(inspect)
}
