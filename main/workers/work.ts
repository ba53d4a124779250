import type { WorkerStatus } from '../../shared/contract.ts'
import type { DataReport } from '../../shared/data.ts'
import type {
  DataConfig,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Failure,
  Made,
} from '../../shared/records.ts'
import type { TransferProgress, TransferResult, TransferRun } from '../../shared/transfer.ts'
import {
  EnvironmentError,
  type FromWorker,
  type News,
  type ToWorker,
  type TransferQuestion,
} from './protocol.ts'
import type { Ending } from './worker.ts'

/** A candidate to be evaluated. */
export type Job = {
  readonly task: EvaluationTask
  readonly search: string
  readonly candidate: number
  /** Ends the job: it leaves the queue, or its worker is ended. */
  readonly signal: AbortSignal
  readonly onStart?: () => void
  readonly onProgress?: (progress: EvaluationProgress) => void
}

/** A layer to be trained on another task. A worker that is lost costs the steps since the last checkpoint. */
export type TransferJob = {
  readonly run: TransferRun
  /** The run's key. */
  readonly key: string
  readonly signal: AbortSignal
  readonly onStart?: () => void
  readonly onProgress?: (progress: TransferProgress) => void
}

type OutcomeOf<Result> =
  /** `made`: where it was made, when that was not on this machine. */
  | { readonly kind: 'result'; readonly result: Result; readonly made?: Made | undefined }
  /** The process crashed, hung or ran out of memory, twice. */
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** Not the layer's fault: the data or the runtime; one sentence. */
  | { readonly kind: 'environment'; readonly message: string }
  | { readonly kind: 'cancelled' }
export type Outcome = OutcomeOf<EvaluationResult>
export type TransferOutcome = OutcomeOf<TransferResult>

/** What waits in the pool's queue or is under way in a worker. */
export type Work = {
  /** Asked by the user, who waits for it: never behind candidates. */
  readonly question: boolean
  readonly message: (task: number) => ToWorker
  /** How long a worker may take. */
  readonly seconds: number
  readonly about:
    | { readonly kind: 'candidate'; readonly search: string; readonly number: number }
    | { readonly kind: 'transfer'; readonly transfer: Omit<NonNullable<WorkerStatus['transfer']>, 'step'> }
    | null
  readonly onStart: () => void
  readonly onNews: (news: News) => void
  /** Returns whether it is to be tried again. */
  readonly onEnd: (ending: Ending) => boolean
  /** It will not be done. */
  readonly cancel: () => void
}

/** How often a task is tried before its failure is recorded. */
export const ATTEMPTS = 2

const CHECK_SECONDS = 600

export const evaluationWork = (job: Job, seconds: number): Tried<EvaluationResult> =>
  tried(
    {
      message: (task) => ({ kind: 'evaluate', task, argument: job.task }),
      seconds,
      about: { kind: 'candidate', search: job.search, number: job.candidate },
      onStart: () => job.onStart?.(),
      onNews: (news) => {
        if (news.kind === 'progress') job.onProgress?.(news.progress)
      },
    },
    (message) => (message.kind === 'evaluated' ? message.result : null),
  )

export const transferWork = ({ run, key, ...job }: TransferJob, seconds: number): Tried<TransferResult> =>
  tried(
    {
      message: (task) => ({ kind: 'transfer', task, argument: run }),
      seconds,
      about: { kind: 'transfer', transfer: { run: key, steps: run.config.training.steps } },
      onStart: () => job.onStart?.(),
      onNews: (news) => {
        if (news.kind === 'transferring') job.onProgress?.(news.progress)
      },
    },
    (message) => (message.kind === 'transferred' ? message.result : null),
  )

/** A question of the user's; rejects with an EnvironmentError of one sentence. */
const question = <Reply>(
  message: Work['message'],
  replyOf: (message: FromWorker) => Reply | null,
): { work: Work; reply: Promise<Reply> } => {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const work: Work = {
    question: true,
    message,
    seconds: CHECK_SECONDS,
    about: null,
    onStart: () => undefined,
    onNews: () => undefined,
    onEnd: (ending) => {
      const reply = ending.kind === 'answer' ? replyOf(ending.message) : null
      if (reply !== null) resolve(reply)
      else if (ending.kind === 'gone') reject(new EnvironmentError(ending.cause))
      else if (ending.message.kind === 'error') reject(new EnvironmentError(ending.message.message))
      return false
    },
    cancel: () => reject(new EnvironmentError('the workers have been ended')),
  }
  return { work, reply: promise }
}

export const checkWork = (data: DataConfig): { work: Work; reply: Promise<DataReport> } =>
  question(
    (task) => ({ kind: 'check', task, argument: data }),
    (message) => (message.kind === 'checked' ? message.report : null),
  )

export const checkTransferWork = (asked: TransferQuestion): { work: Work; reply: Promise<DataReport> } =>
  question(
    (task) => ({ kind: 'checkTransfer', task, argument: asked }),
    (message) => (message.kind === 'checked' ? message.report : null),
  )

type Tried<Result> = { readonly work: Work; readonly outcome: Promise<OutcomeOf<Result>> }

/** Work that is tried again when a worker is lost over it, and comes out as a result or a failure. */
const tried = <Result>(
  parts: Pick<Work, 'message' | 'seconds' | 'about' | 'onStart' | 'onNews'>,
  resultOf: (message: FromWorker) => Result | null,
): Tried<Result> => {
  const { promise, resolve } = Promise.withResolvers<OutcomeOf<Result>>()
  let attempts = 0
  const work: Work = {
    question: false,
    ...parts,
    onEnd: (ending) => {
      attempts += 1
      const outcome = outcomeOf(ending, attempts, resultOf)
      if (outcome) resolve(outcome)
      return outcome === null
    },
    cancel: () => resolve({ kind: 'cancelled' }),
  }
  return { work, outcome: promise }
}

/** null: to be tried again. */
const outcomeOf = <Result>(
  ending: Ending,
  attempts: number,
  resultOf: (message: FromWorker) => Result | null,
): OutcomeOf<Result> | null => {
  const failed = (cause: string, trace: string): OutcomeOf<Result> | null =>
    attempts < ATTEMPTS ? null : { kind: 'failure', failure: { cause, trace, attempts } }
  if (ending.kind === 'gone')
    return ending.ready ? failed(ending.cause, ending.trace) : { kind: 'environment', message: ending.cause }
  const { message } = ending
  const result = resultOf(message)
  if (result !== null) return { kind: 'result', result }
  if (message.kind !== 'error') throw new Error(`pool: got the answer "${message.kind}" to another question`)
  return message.environment
    ? { kind: 'environment', message: message.message }
    : failed(message.message, message.trace)
}
