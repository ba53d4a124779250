/** What a job is called, and whether an answer is one to it. */
import { hash } from 'node:crypto'
import type { EvaluationResult, Made } from '../../shared/records.ts'
import type { TransferResult } from '../../shared/transfer.ts'
import type { Outcome, TransferOutcome } from '../workers/pool.ts'
import type { Build } from './build.ts'
import type { Answer, RemoteJob } from './messages.ts'

/** All that decides a result is in the key: the same is never done twice, whoever asks, and another build's is another job. */
export const keyOf = (whose: string, which: string, task: unknown, { digest }: Build): string =>
  `${whose}-${which}-${hash('sha256', `${digest} ${JSON.stringify(task)}`).slice(0, 16)}`

/** null: the answer is to another question. */
export const outcomeOf = (answer: Answer, job: RemoteJob): Outcome | TransferOutcome | null => {
  if (answer.key !== job.key || answer.kind !== job.kind) return null
  const made: Made = answer.made
  if (answer.outcome.kind === 'failure') return answer.outcome
  if (answer.kind === 'transfer') {
    const result: TransferResult = answer.outcome.result
    return { kind: 'result', result, made }
  }
  const result = answer.outcome.result as EvaluationResult
  return job.kind === 'evaluate' && answers(result, job) ? { kind: 'result', result, made } : null
}

const answers = (
  { scores, rejection, evaluations }: EvaluationResult,
  { task }: Extract<RemoteJob, { kind: 'evaluate' }>,
): boolean => {
  const names = new Set(task.architectures.map(({ name }) => name))
  const whole = scores === null ? rejection !== null : scores.length === task.architectures.length
  return (
    whole &&
    evaluations.every(
      ({ architecture, purpose, seed }) =>
        names.has(architecture.name) && purpose === task.purpose && seed === task.seed,
    )
  )
}
