/**
 * What the pool and a worker process say to each other. The process is `child.ts`; the maths comes from an
 * evaluator module that it imports by path (the engine's, or a stand-in in a test).
 */
import type { DataReport } from '../../shared/data.ts'
import type { Graph } from '../../shared/graph.ts'
import type {
  DataConfig,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
} from '../../shared/records.ts'
import type { TransferConfig, TransferProgress, TransferResult, TransferRun } from '../../shared/transfer.ts'

/** What an evaluator module exports: `createEvaluator`. It is called once a process, before any task. */
export type EvaluatorModule = {
  createEvaluator(options: EvaluatorOptions): Promise<Evaluator>
}
export type EvaluatorOptions = {
  readonly threads: number
  /** Convolutions and matrix products in bfloat16. */
  readonly mixedPrecision?: boolean | undefined
  /** Which networks TensorFlow's XLA compiles (default: measured). */
  readonly xla?: Xla | undefined
  /**
   * Writes each op to stderr when it starts, to tell which one a process dies of. Measured by processor time (AMD EPYC, one
   * thread), it costs a step of the demo's ResNet 1 to 3 ms of 6, one of overnight's 0 to 3 ms of 170, and the process that
   * reads it 2 and 10 ms.
   */
  readonly traceOps?: boolean | undefined
}
/** `measured`: those for which `npm run bench -- tune` found on this machine that it pays; none where nothing was. */
export type Xla = 'never' | 'measured' | 'always'

export type Evaluator = {
  /** Versions and device, label to value. */
  readonly facts: Readonly<Record<string, string>>
  /** What keeps it from being as quick as it could be, a sentence each. */
  readonly notes?: readonly string[]
  /**
   * One task after another, never two at once. A rejection is a result; what throws costs the candidate a retry,
   * an `EnvironmentError` ends the search instead. Should leave the event loop free now and then, so that
   * heartbeats go out.
   */
  evaluate(task: EvaluationTask, report: (progress: EvaluationProgress) => void): Promise<EvaluationResult>
  /**
   * Trains a layer on another task, from the newest checkpoint in the run's folder on if there is one: the figures are
   * those of a run that was never interrupted. Divergence and collapse are results; throws like `evaluate`.
   */
  transfer(run: TransferRun, report: (progress: TransferProgress) => void): Promise<TransferResult>
  /** Opens a data set and says what is in it; throws with one sentence when it can't be used. */
  check(data: DataConfig): Promise<DataReport>
  /** The same for a transfer, and the other files that it needs: a backbone for each of the layers. */
  checkTransfer(asked: TransferQuestion): Promise<DataReport>
  /** Steps a second of a small network, trained for so many seconds; the first call also makes the network. */
  measure(seconds: number): Promise<number>
}

/** Not the candidate's fault: data that can't be read, a runtime that doesn't load. One sentence for the user. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
}

/** A transfer that is asked for, and the layers that it trains. */
export type TransferQuestion = {
  readonly config: TransferConfig
  readonly layers: readonly { readonly label: string; readonly graph: Graph }[]
}

export type ToWorker =
  | { readonly kind: 'evaluate'; readonly task: number; readonly argument: EvaluationTask }
  | { readonly kind: 'transfer'; readonly task: number; readonly argument: TransferRun }
  | { readonly kind: 'check'; readonly task: number; readonly argument: DataConfig }
  | { readonly kind: 'checkTransfer'; readonly task: number; readonly argument: TransferQuestion }
  | { readonly kind: 'measure'; readonly task: number; readonly argument: number }

export type FromWorker =
  | {
      readonly kind: 'ready'
      readonly facts: Readonly<Record<string, string>>
      readonly notes?: readonly string[]
    }
  | { readonly kind: 'broken'; readonly message: string; readonly trace: string }
  | { readonly kind: 'beat'; readonly residentBytes: number }
  | { readonly kind: 'progress'; readonly task: number; readonly progress: EvaluationProgress }
  | { readonly kind: 'transferring'; readonly task: number; readonly progress: TransferProgress }
  | { readonly kind: 'evaluated'; readonly task: number; readonly result: EvaluationResult }
  | { readonly kind: 'transferred'; readonly task: number; readonly result: TransferResult }
  | { readonly kind: 'checked'; readonly task: number; readonly report: DataReport }
  | { readonly kind: 'measured'; readonly task: number; readonly stepsPerSecond: number }
  | {
      readonly kind: 'error'
      readonly task: number
      readonly message: string
      readonly trace: string
      /** True for an `EnvironmentError`. */
      readonly environment: boolean
    }

/** Told while a task is under way. */
export type News = Extract<FromWorker, { kind: 'progress' | 'transferring' }>
