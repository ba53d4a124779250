/** The command line: searches on the same engine and store as the workbench. */
import { Command, CommanderError } from 'commander'
import { ContractError } from '../shared/contract.ts'
import { addDoctor } from './cli/doctor.ts'
import { EXIT, UserError } from './cli/errors.ts'
import { addList } from './cli/list.ts'
import { addResume, addSearch } from './cli/search.ts'
import { addShow } from './cli/show.ts'
import { addTrain } from './cli/train.ts'
import { StoreError } from './store/errors.ts'
import { version } from './versions.ts'

const program = new Command('normforge')
  .description('Evolves normalization-activation layers.')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError()
for (const add of [addSearch, addResume, addList, addShow, addTrain, addDoctor]) add(program)
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
  if (error instanceof UserError || error instanceof ContractError || error instanceof StoreError) {
    process.stderr.write(`normforge: ${error.message}\n`)
    return EXIT.user
  }
  process.stderr.write(`normforge: ${error instanceof Error ? error.stack : String(error)}\n`)
  return EXIT.failure
}
