import type {
  TransferConfig,
  TransferProgress,
  TransferResult,
  TransferRun,
  TransferTaskName,
} from '../../../shared/transfer.ts'
import { EnvironmentError } from '../../workers/protocol.ts'
import { runSegmentation } from './segmentation/run.ts'

/**
 * A task's training, from the newest checkpoint in the run's folder on. Whoever writes into that folder writes to a
 * temporary name and renames: the process may be killed at any time. Data that can't be used is an EnvironmentError.
 */
type RunTask<Config> = (
  run: TransferRun & { readonly config: Config },
  report: (progress: TransferProgress) => void,
) => Promise<TransferResult>

const TASKS: { readonly [N in TransferTaskName]?: RunTask<TransferConfig & { task: N }> } = {
  segmentation: runSegmentation,
}

export const runTransfer = <N extends TransferTaskName>(
  run: TransferRun & { readonly config: TransferConfig & { task: N } },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const task: RunTask<TransferConfig & { task: N }> | undefined = TASKS[run.config.task]
  if (!task) throw new EnvironmentError(`transfer: this engine has no task "${run.config.task}"`)
  return task(run, report)
}
