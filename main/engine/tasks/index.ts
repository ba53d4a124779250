import type {
  TransferConfig,
  TransferProgress,
  TransferResult,
  TransferRun,
  TransferTaskName,
} from '../../../shared/transfer.ts'
import type { DataReport } from '../../../shared/data.ts'
import type { TransferQuestion } from '../../workers/protocol.ts'
import { checkData } from '../data/index.ts'
import { inspectData } from './segmentation/data.ts'
import { lentBackbone } from './segmentation/lent.ts'
import { runSegmentation } from './segmentation/run.ts'
import { readInception } from './synthesis/inception.ts'
import { runSynthesis } from './synthesis/run.ts'
import { runVerification } from './verification/run.ts'

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
  verification: runVerification,
}

export const runTransfer = <N extends TransferTaskName>(
  run: TransferRun & { readonly config: TransferConfig & { task: N } },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const task: RunTask<TransferConfig & { task: N }> = TASKS[run.config.task]
  return task(run, report)
}

/** Reads the files that a config names and says what is in them. Throws one sentence when they can't be used. */
export const checkTransfer = async ({ config, layers }: TransferQuestion): Promise<DataReport> => {
  if (config.task === 'segmentation' && config.network.backbone !== undefined)
    for (const { label, graph } of layers)
      try {
        lentBackbone(config.network.backbone, graph, config.network)
      } catch (error) {
        throw new Error(`${label}: ${(error as Error).message}`, { cause: error })
      }
  if (config.task === 'synthesis' && config.network.inception !== undefined)
    readInception(config.network.inception)
  return config.task === 'segmentation' ? (await inspectData(config, true)).report : checkData(config.data)
}
