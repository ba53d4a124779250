import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Option, type Command } from 'commander'
import { EXPORTS, EXPORT_TARGETS, type ExportTarget } from '../../shared/export/index.ts'
import { trainingScript } from '../../shared/export/pytorch-training.ts'
import { verificationOf } from '../../shared/transfer/verification.ts'
import { diskSentence } from '../setup/disk.mjs'
import { userPath } from '../caller.ts'
import { getSearch } from '../store/searches.ts'
import { UserError } from './errors.ts'
import { layerOf } from './layer.ts'
import { dataFolderOption, layerOption } from './options.ts'
import { openFolder, type SessionOptions } from './session.ts'

type Options = SessionOptions & {
  readonly layer: string
  readonly target: ExportTarget
  readonly name?: string
  readonly out?: string
  readonly training?: boolean
}

const exportLayer = (options: Options): void => {
  const { graph, label } = layerOf(options.layer, options)
  const text = EXPORTS[options.target].generate(graph, options.name ?? label, label)
  if (options.training && options.out === undefined)
    throw new UserError('--training: needs --out, the file beside which it is written')
  if (options.out === undefined) return void process.stdout.write(text)
  const file = userPath(options.out)
  const training = options.training === undefined ? null : trainingBeside(file, options)
  try {
    writeFileSync(file, text)
    if (training) writeFileSync(training.file, training.text)
  } catch (error) {
    throw new UserError(`--out: ${diskSentence(error) ?? (error as Error).message}`)
  }
}

/** How the search of a candidate verifies, as a script that trains the exported module so. */
const trainingBeside = (file: string, options: Options): { readonly file: string; readonly text: string } => {
  const { graph, label, from } = layerOf(options.layer, options)
  if (options.target !== 'pytorch' || from.kind !== 'candidate')
    throw new UserError(
      '--training: needs --target pytorch and a layer of a search (<search>:<number>), whose settings it trains by',
    )
  const db = openFolder(options)
  try {
    const { config } = getSearch(db, from.search)!
    const { dir, name } = path.parse(file)
    const text = trainingScript(graph, name, options.name ?? label, verificationOf(config))
    return { file: path.join(dir, `${name}_training.py`), text }
  } finally {
    db.close()
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
    .option(
      '--training',
      'beside it, a script that trains the module in PyTorch as verify trains the layer (CIFAR-10)',
    )
    .addOption(dataFolderOption())
    .action(exportLayer)
}
