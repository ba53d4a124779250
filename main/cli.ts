/** The command line: searches and transfers on the same engine and store as the workbench. */
import { Command, CommanderError } from 'commander'
import { ContractError } from '../shared/contract.ts'
import { addClassify } from './cli/classify.ts'
import { addDoctor } from './cli/doctor.ts'
import { EXIT, UserError } from './cli/errors.ts'
import { addExport } from './cli/export.ts'
import { addInspect } from './cli/inspect.ts'
import { addList } from './cli/list.ts'
import { addRestore } from './cli/restore.ts'
import { addResume, addSearch } from './cli/search.ts'
import { addShow } from './cli/show.ts'
import { note } from './cli/text.ts'
import { addStudy } from './cli/study.ts'
import { addTransfer } from './cli/transfer.ts'
import { addTransfers } from './cli/transfers.ts'
import { addVerify } from './cli/verify.ts'
import { addWorker } from './cli/worker.ts'
import { RemoteError } from './remote/address.ts'
import { sentenceOf } from './setup/process.mjs'
import { switchHelp } from './setup/switches.mjs'
import { StoreError } from './store/errors.ts'
import { version } from './versions.ts'

const program = new Command('normforge')
  .description('Evolves normalization-activation layers.')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError()
  .addHelpText('after', () => `\n${switchHelp()}`)
const COMMANDS = [
  addSearch,
  addResume,
  addList,
  addShow,
  addClassify,
  addTransfer,
  addTransfers,
  addVerify,
  addStudy,
  addExport,
  addInspect,
  addRestore,
  addWorker,
  addDoctor,
]
for (const add of COMMANDS) add(program)
for (const command of program.commands) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

/** Says what went wrong: a sentence for what the user can put right, the whole trace for the rest. */
function exitCodeOf(error: unknown): number {
  // Commander has said it already; its help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.user
  if (
    error instanceof UserError ||
    error instanceof RemoteError ||
    error instanceof ContractError ||
    error instanceof StoreError
  ) {
    note(`normforge: ${error.message}`)
    return EXIT.user
  }
  const sentence = sentenceOf(error)
  if (sentence !== null) {
    note(`normforge: ${sentence}`)
    return EXIT.user
  }
  note(`normforge: ${error instanceof Error ? error.stack : String(error)}`)
  return EXIT.failure
}
