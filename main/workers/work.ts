import type { DataReport } from '../../shared/contract.ts'
import type {
  DataConfig,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Failure,
} from '../../shared/records.ts'
import { EnvironmentError, type ToWorker } from './protocol.ts'
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

export type Outcome =
  | { readonly kind: 'result'; readonly result: EvaluationResult }
  /** The candidate's process crashed, hung or ran out of memory, twice. */
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** Not the candidate's fault: the data or the runtime; one sentence. */
  | { readonly kind: 'environment'; readonly message: string }
  | { readonly kind: 'cancelled' }

/** What waits in the pool's queue or is under way in a worker. */
export type Work = {
  /** Asked by the user, who waits for it: never behind candidates. */
  readonly question: boolean
  readonly message: (task: number) => ToWorker
  /** How long a worker may take. */
  readonly seconds: number
  readonly search: string | null
  readonly candidate: number | null
  readonly onStart: () => void
  readonly onProgress: (progress: EvaluationProgress) => void
  /** Returns whether it is to be tried again. */
  readonly onEnd: (ending: Ending) => boolean
  /** It will not be done. */
  readonly cancel: () => void
}

/** How often a candidate is tried before its failure is recorded. */
export const ATTEMPTS = 2

const CHECK_SECONDS = 600

export const evaluationWork = (job: Job, seconds: number): { work: Work; outcome: Promise<Outcome> } => {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  let attempts = 0
  const work: Work = {
    question: false,
    message: (task) => ({ kind: 'evaluate', task, argument: job.task }),
    seconds,
    search: job.search,
    candidate: job.candidate,
    onStart: () => job.onStart?.(),
    onProgress: (progress) => job.onProgress?.(progress),
    onEnd: (ending) => {
      attempts += 1
      const outcome = outcomeOf(ending, attempts)
      if (outcome) resolve(outcome)
      return outcome === null
    },
    cancel: () => resolve({ kind: 'cancelled' }),
  }
  return { work, outcome: promise }
}

export const checkWork = (data: DataConfig): { work: Work; report: Promise<DataReport> } => {
  const { promise, resolve, reject } = Promise.withResolvers<DataReport>()
  const work: Work = {
    question: true,
    message: (task) => ({ kind: 'check', task, argument: data }),
    seconds: CHECK_SECONDS,
    search: null,
    candidate: null,
    onStart: () => undefined,
    onProgress: () => undefined,
    onEnd: (ending) => {
      if (ending.kind === 'gone') reject(new EnvironmentError(ending.cause))
      else if (ending.message.kind === 'checked') resolve(ending.message.report)
      else if (ending.message.kind === 'error') reject(new EnvironmentError(ending.message.message))
      return false
    },
    cancel: () => reject(new EnvironmentError('the workers have been ended')),
  }
  return { work, report: promise }
}

/** null: to be tried again. */
const outcomeOf = (ending: Ending, attempts: number): Outcome | null => {
  const failed = (cause: string, trace: string): Outcome | null =>
    attempts < ATTEMPTS ? null : { kind: 'failure', failure: { cause, trace, attempts } }
  if (ending.kind === 'gone')
    return ending.ready ? failed(ending.cause, ending.trace) : { kind: 'environment', message: ending.cause }
  const { message } = ending
  if (message.kind === 'evaluated') return { kind: 'result', result: message.result }
  if (message.kind !== 'error') throw new Error(`pool: needs an answer to "evaluate", got "${message.kind}"`)
  return message.environment
    ? { kind: 'environment', message: message.message }
    : failed(message.message, message.trace)
}
