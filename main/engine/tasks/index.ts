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
import { checkSegmentation } from './segmentation/check.ts'
import { runSegmentation } from './segmentation/run.ts'
import { checkSynthesis } from './synthesis/check.ts'
import { runSynthesis } from './synthesis/run.ts'
import { runVerification } from './verification/run.ts'

/**
 * A task's training, from the newest checkpoint in the run's folder on. Whoever writes into that folder writes to a
 * temporary name and renames: the process may be killed at any time. Data that can't be used is an EnvironmentError.
 */
type EngineTask<Config> = {
  run(
    run: TransferRun & { readonly config: Config },
    report: (progress: TransferProgress) => void,
  ): Promise<TransferResult>
  /** Reads the files that a config names and says what is in them. Throws one sentence when they can't be used. */
  check(config: Config, layers: TransferQuestion['layers']): Promise<DataReport>
}

const TASKS: { readonly [N in TransferTaskName]: EngineTask<Extract<TransferConfig, { task: N }>> } = {
  segmentation: { run: runSegmentation, check: checkSegmentation },
  synthesis: { run: runSynthesis, check: checkSynthesis },
  verification: { run: runVerification, check: ({ data }) => checkData(data) },
}
const taskOf = (config: TransferConfig): EngineTask<TransferConfig> =>
  TASKS[config.task] as EngineTask<TransferConfig>

export const runTransfer: EngineTask<TransferConfig>['run'] = (run, report) =>
  taskOf(run.config).run(run, report)

export const checkTransfer = ({ config, layers }: TransferQuestion): Promise<DataReport> =>
  taskOf(config).check(config, layers)
