import type { MachineStatus, WorkerStatus } from '../../shared/contract.ts'
import type { DataReport } from '../../shared/data.ts'
import type { DataConfig } from '../../shared/records.ts'
import { noteIllegalInstruction } from '../setup/illegal.mjs'
import type { Split } from '../setup/workers.mjs'
import { Crew } from './crew.ts'
import { defaultLimits, defaultWorkers, type Limits } from './limits.ts'
import { CHILD_FILE, spawnNode, type Spawn } from './process.ts'
import type { EvaluatorOptions, TransferQuestion } from './protocol.ts'
import {
  checkTransferWork,
  checkWork,
  evaluationWork,
  transferWork,
  type Job,
  type Outcome,
  type TransferJob,
  type TransferOutcome,
  type Work,
} from './work.ts'

export type { Job, Outcome, TransferJob, TransferOutcome } from './work.ts'

export type PoolOptions = {
  /** Path of the evaluator module (see protocol.ts). */
  readonly evaluator: string
  readonly count?: number | undefined
  readonly threads?: number | undefined
  /** What else workers are told; see protocol.ts. */
  readonly options?: Omit<EvaluatorOptions, 'threads'> | undefined
  /** Asked once, before the first candidate or transfer starts: other numbers of workers and threads than the above. */
  readonly settle?: ((signal: AbortSignal) => Promise<Split>) | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly spawn?: Spawn | undefined
  /** Told when a worker met an instruction that the processor doesn't have; marks the engine's kernels as unfit. */
  readonly onIllegalInstruction?: (() => void) | undefined
}

export type Pool = {
  readonly count: number
  run(job: Job): Promise<Outcome>
  transfer(job: TransferJob): Promise<TransferOutcome>
  /** Opens a data set in a worker; throws an EnvironmentError of one sentence when it can't be used. */
  check(data: DataConfig): Promise<DataReport>
  /** Throws likewise when the files that a transfer needs can't be used. */
  checkTransfer(asked: TransferQuestion): Promise<DataReport>
  /** Versions and device, once a worker has told them. */
  facts(): Readonly<Record<string, string>>
  status(): WorkerStatus[]
  /** The machines whose workers these are; absent: all are on this one. */
  machines?(): MachineStatus[]
  /** Lets a machine take nothing more, and end when what it has is done. */
  drain?(machine: string): void
  onStatus(listener: () => void): () => void
  /** Ends every worker; what waits or is under way comes back cancelled. */
  close(): void
}

/** Local worker processes, started when there is work and kept warm. Tasks start in the order they came. */
export const createPool = (options: PoolOptions): Pool => {
  let split: Split = { workers: options.count ?? defaultWorkers(), threads: options.threads ?? 1 }
  if (!(split.workers >= 1)) throw new Error(`pool: needs one worker at least, got ${split.workers}`)
  const limits = (): Limits => ({ ...defaultLimits(split.workers), ...options.limits })
  const { spawn = spawnNode, onIllegalInstruction = noteIllegalInstruction } = options
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  let facts: Readonly<Record<string, string>> = {}
  let closed = false
  const closing = new AbortController()

  const crew = new Crew(split.workers, {
    limits: limits(),
    spawn: (traceOps) => {
      const told: EvaluatorOptions = {
        ...options.options,
        threads: split.threads,
        ...(traceOps ? { traceOps } : {}),
      }
      return spawn(CHILD_FILE, [options.evaluator, JSON.stringify(told)])
    },
    onFacts: (found) => (facts = found),
    onChange: changed,
    onIllegalInstruction,
  })

  let settling: 'not yet' | 'under way' | 'done' = options.settle ? 'not yet' : 'done'
  /** Nothing else is started while the machine is measured: it would slow down what is timed. */
  const settle = async (measure: NonNullable<PoolOptions['settle']>): Promise<void> => {
    settling = 'under way'
    crew.pause()
    changed()
    split = await measure(closing.signal).catch(() => split)
    settling = 'done'
    crew.resume(split.workers, limits())
  }

  const begin = (work: Work): void => {
    if (closed) return work.cancel()
    crew.add(work)
    if (options.settle && settling === 'not yet' && crew.hasWaitingWork) void settle(options.settle)
    else crew.pump()
  }

  const undertake = async <O>(
    { work, outcome }: { work: Work; outcome: Promise<O> },
    signal: AbortSignal,
  ): Promise<O> => {
    const abort = (): void => crew.abandon(work)
    signal.addEventListener('abort', abort)
    if (signal.aborted) work.cancel()
    else begin(work)
    return outcome.finally(() => signal.removeEventListener('abort', abort))
  }

  const ask = <Reply>({ work, reply }: { work: Work; reply: Promise<Reply> }): Promise<Reply> => {
    begin(work)
    return reply
  }

  return {
    get count() {
      return split.workers
    },
    run: async (job) => undertake(evaluationWork(job, limits().taskSeconds(job.task)), job.signal),
    transfer: async (job) => undertake(transferWork(job, limits().transferSeconds(job.run)), job.signal),
    check: async (data) => ask(checkWork(data)),
    checkTransfer: (asked) => ask(checkTransferWork(asked)),
    facts: () => facts,
    status: () =>
      crew
        .status()
        .map((status) =>
          settling === 'under way' && status.state === 'idle' ? { ...status, state: 'starting' } : status,
        ),
    onStatus: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      closed = true
      closing.abort()
      crew.close()
    },
  }
}
