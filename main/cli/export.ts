import { writeFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { EXPORTS, EXPORT_TARGETS, type ExportTarget } from '../../shared/export/index.ts'
import { diskSentence } from '../setup/disk.mjs'
import { userPath } from '../caller.ts'
import { UserError } from './errors.ts'
import { layerOf } from './layer.ts'
import { dataFolderOption, layerOption } from './options.ts'
import type { SessionOptions } from './session.ts'

type Options = SessionOptions & {
  readonly layer: string
  readonly target: ExportTarget
  readonly name?: string
  readonly out?: string
}

const exportLayer = (options: Options): void => {
  const { graph, label } = layerOf(options.layer, options)
  const text = EXPORTS[options.target].generate(graph, options.name ?? label, label)
  if (options.out === undefined) return void process.stdout.write(text)
  const file = userPath(options.out)
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UserError(`--out: ${diskSentence(error) ?? (error as Error).message}`)
  }
}

export const addExport = (program: Command): void => {
  program
    .command('export')
    .description('a layer as source text: on stdout, or into a file')
    .addOption(layerOption())
    .addOption(new Option('--target <target>', 'for what').choices(EXPORT_TARGETS).makeOptionMandatory())
    .option('--name <name>', 'how it is called (default: as it is known)')
    .option('--out <file>', 'where to')
    .addOption(dataFolderOption())
    .action(exportLayer)
}
