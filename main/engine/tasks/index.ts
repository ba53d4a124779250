import { existsSync } from 'node:fs'
import type {
  TransferConfig,
  TransferProgress,
  TransferResult,
  TransferRun,
  TransferTaskName,
} from '../../../shared/transfer.ts'
import { cocoSplits } from '../data/coco.ts'
import { describeData } from '../data/index.ts'
import { runSegmentation } from './segmentation/run.ts'
import { runSynthesis } from './synthesis/run.ts'

/**
 * A task's training, from the newest checkpoint in the run's folder on. Whoever writes into that folder writes to a
 * temporary name and renames: the process may be killed at any time. Data that can't be used is an EnvironmentError.
 */
type RunTask<Config> = (
  run: TransferRun & { readonly config: Config },
  report: (progress: TransferProgress) => void,
) => Promise<TransferResult>

const TASKS: { readonly [N in TransferTaskName]: RunTask<TransferConfig & { task: N }> } = {
  segmentation: runSegmentation,
  synthesis: runSynthesis,
}

export const runTransfer = <N extends TransferTaskName>(
  run: TransferRun & { readonly config: TransferConfig & { task: N } },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const task: RunTask<TransferConfig & { task: N }> = TASKS[run.config.task]
  return task(run, report)
}

/** Throws one sentence when files that a config names can't be used, from their names and sizes alone. */
export const checkTransfer = (config: TransferConfig): void => {
  if (config.task === 'synthesis') describeData(config.data)
  else if (config.data.kind === 'coco') {
    if (config.data.path === undefined) throw new Error('coco needs the path of a folder, got none')
    cocoSplits(config.data.path)
  }
  const file = config.task === 'synthesis' ? config.network.inception : config.network.backbone
  if (file !== undefined && !existsSync(file)) throw new Error(`network: there is no file ${file}`)
}
