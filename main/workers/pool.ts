import type { WorkerStatus } from '../../shared/contract.ts'
import type { DataReport } from '../../shared/data.ts'
import type { DataConfig } from '../../shared/records.ts'
import { defaultLimits, defaultWorkers, type Limits } from './limits.ts'
import { CHILD_FILE, spawnNode, type Child, type Spawn } from './process.ts'
import {
  ATTEMPTS,
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
import type { EvaluatorOptions, TransferQuestion } from './protocol.ts'
import type { Split } from '../setup/workers.mjs'
import { noteIllegalInstruction } from '../setup/illegal.mjs'
import { isNativeCrash } from './signals.ts'
import { Worker, type Ending } from './worker.ts'

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
  onStatus(listener: () => void): () => void
  /** Ends every worker; what waits or is under way comes back cancelled. */
  close(): void
}

type Slot = {
  worker: Worker | null
  current: Work | null
  /** Work over which a process crashed in native code: this slot's next process, which traces its ops, tries it again. */
  retry: Work | null
  /** Whether the process traces its ops. */
  traced: boolean
  /** Processes that ended by themselves or were ended for going past a limit. */
  failures: number
  /** Its last process failed, and no new one was needed since. */
  dead: boolean
  idleSince: number
  /** Beyond the count, for one question. */
  spare: boolean
}

const IDLE_CHECK_MS = 1000

/** Local worker processes, started when there is work and kept warm. Tasks start in the order they came. */
export const createPool = (options: PoolOptions): Pool => {
  let split: Split = { workers: options.count ?? defaultWorkers(), threads: options.threads ?? 1 }
  if (!(split.workers >= 1)) throw new Error(`pool: needs one worker at least, got ${split.workers}`)
  let limits = { ...defaultLimits(split.workers), ...options.limits }
  const spawn = options.spawn ?? spawnNode
  const onIllegalInstruction = options.onIllegalInstruction ?? noteIllegalInstruction
  const slots: Slot[] = Array.from({ length: split.workers }, () => emptySlot(false))
  const queue: Work[] = []
  const listeners = new Set<() => void>()
  let facts: Readonly<Record<string, string>> = {}
  let tasks = 0
  let failedStarts = 0
  let closed = false
  const closing = new AbortController()
  let settling: 'not yet' | 'under way' | 'done' = options.settle ? 'not yet' : 'done'

  const changed = (): void => {
    for (const listener of listeners) listener()
  }

  const start = (slot: Slot): void => {
    slot.dead = false
    slot.traced = slot.retry !== null
    const told: EvaluatorOptions = {
      ...options.options,
      threads: split.threads,
      ...(slot.traced ? { traceOps: true } : {}),
    }
    const child = spawn(CHILD_FILE, [options.evaluator, JSON.stringify(told)])
    slot.worker = watch(slot, child)
  }

  const watch = (slot: Slot, child: Child): Worker => {
    const worker = new Worker({
      child,
      startSeconds: limits.startSeconds,
      silenceSeconds: limits.silenceSeconds,
      residentBytes: limits.residentBytes,
      onReady: (found) => {
        facts = found
        failedStarts = 0
        slot.idleSince = performance.now()
        pump()
      },
      onNews: (news) => {
        slot.current?.onNews(news)
        changed()
      },
      onEnd: (ending) => {
        if (slot.worker === worker) ended(slot, worker, ending)
      },
    })
    return worker
  }

  const ended = (slot: Slot, worker: Worker, ending: Ending): void => {
    const current = slot.current
    slot.current = null
    slot.idleSince = performance.now()
    if (ending.kind === 'gone') {
      slot.worker = null
      slot.dead = true
      slot.failures += 1
      if (ending.signal === 'SIGILL') onIllegalInstruction()
      if (!ending.ready) {
        if (slot.retry) queue.unshift(slot.retry)
        slot.retry = null
        startFailed(slot, ending)
      }
    } else if (
      slot.traced ||
      worker.tasks >= limits.recycleTasks ||
      (worker.residentBytes ?? 0) > limits.recycleBytes
    ) {
      retire(slot)
    }
    if (current?.onEnd(ending)) {
      if (ending.kind === 'gone' && isNativeCrash(ending.signal) && !slot.spare) {
        slot.retry = current
        start(slot)
      } else queue.unshift(current)
    }
    pump()
  }

  // A runtime that does not load will not load the next time either: whoever waits for it is told.
  const startFailed = ({ spare }: Slot, ending: Ending & { kind: 'gone' }): void => {
    failedStarts += 1
    if (failedStarts < ATTEMPTS) return
    failedStarts = 0
    const cause = `worker processes can't start: ${ending.cause}`
    for (const work of queue.splice(0)) {
      if (spare && !work.question) queue.push(work)
      else work.onEnd({ ...ending, cause })
    }
  }

  const retire = (slot: Slot): void => {
    const worker = slot.worker
    slot.worker = null
    worker?.end('no longer needed')
  }

  /** Nothing else is started while the machine is measured: it would slow down what is timed. */
  const settle = (measure: NonNullable<PoolOptions['settle']>): void => {
    settling = 'under way'
    const done = (found: Split): void => {
      settling = 'done'
      split = found
      limits = { ...defaultLimits(split.workers), ...options.limits }
      for (const slot of slots.splice(0)) {
        if (slot.current) slots.push(Object.assign(slot, { spare: true }))
        else retire(slot)
      }
      slots.unshift(...Array.from({ length: split.workers }, () => emptySlot(false)))
      pump()
    }
    measure(closing.signal).then(done, () => done(split))
    changed()
  }

  const pump = (): void => {
    if (closed || settling === 'under way') return
    if (options.settle && settling === 'not yet' && queue.some(({ question }) => !question))
      return settle(options.settle)
    for (const slot of slots) if (slot.worker?.state === 'idle') assign(slot)
    for (const slot of slots.filter(({ spare }) => spare))
      if (!slot.current && slot.worker?.state !== 'starting') {
        retire(slot)
        slots.splice(slots.indexOf(slot), 1)
      }
    let starting = slots.filter((slot) => slot.worker?.state === 'starting').length
    for (const slot of slots)
      if (slot.worker === null && starting < queue.length) {
        start(slot)
        starting += 1
      }
    // A question that all workers are too busy for gets one of its own.
    if (starting === 0 && queue.some(({ question }) => question)) {
      const slot = emptySlot(true)
      slots.push(slot)
      start(slot)
    }
    changed()
  }

  const assign = (slot: Slot): void => {
    const next = slot.spare ? queue.findIndex(({ question }) => question) : 0
    const work = slot.retry ?? (next < 0 ? undefined : queue.splice(next, 1)[0])
    slot.retry = null
    if (!work) return
    slot.current = work
    slot.worker!.assign(work.message((tasks += 1)), work.seconds)
    work.onStart()
  }

  const abandon = (work: Work): void => {
    const position = queue.indexOf(work)
    if (position >= 0) queue.splice(position, 1)
    const slot = slots.find(({ current, retry }) => current === work || retry === work)
    if (slot) {
      slot.current = slot.retry = null
      retire(slot)
    }
    work.cancel()
    pump()
  }

  const ask = <Reply>({ work, reply }: { work: Work; reply: Promise<Reply> }): Promise<Reply> => {
    if (closed) work.cancel()
    else {
      queue.unshift(work)
      pump()
    }
    return reply
  }

  const undertake = <O>(
    { work, outcome }: { work: Work; outcome: Promise<O> },
    signal: AbortSignal,
  ): Promise<O> => {
    if (signal.aborted || closed) {
      work.cancel()
      return outcome
    }
    const abort = (): void => abandon(work)
    signal.addEventListener('abort', abort)
    queue.push(work)
    pump()
    return outcome.finally(() => signal.removeEventListener('abort', abort))
  }

  const idle = setInterval(() => {
    const now = performance.now()
    const idling = slots.filter(
      ({ worker, idleSince }) => worker?.state === 'idle' && now - idleSince > limits.idleSeconds * 1000,
    )
    for (const slot of idling) retire(slot)
    if (idling.length > 0) changed()
  }, IDLE_CHECK_MS)
  idle.unref()

  return {
    get count() {
      return split.workers
    },
    run: async (job) => undertake(evaluationWork(job, limits.taskSeconds(job.task)), job.signal),
    transfer: async (job) => undertake(transferWork(job, limits.transferSeconds(job.run)), job.signal),
    check: async (data) => ask(checkWork(data)),
    checkTransfer: (asked) => ask(checkTransferWork(asked)),
    facts: () => facts,
    status: () =>
      slots.map((slot, i) => {
        const status = statusOf(slot, i)
        return settling === 'under way' && status.state === 'idle' ? { ...status, state: 'starting' } : status
      }),
    onStatus: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      closed = true
      closing.abort()
      clearInterval(idle)
      for (const slot of slots) {
        retire(slot)
        slot.current?.cancel()
        slot.retry?.cancel()
        slot.current = slot.retry = null
      }
      for (const work of queue.splice(0)) work.cancel()
    },
  }
}

const emptySlot = (spare: boolean): Slot => ({
  worker: null,
  current: null,
  retry: null,
  traced: false,
  failures: 0,
  dead: false,
  idleSince: performance.now(),
  spare,
})

const statusOf = ({ worker, current, dead, failures }: Slot, i: number): WorkerStatus => {
  const news = worker?.news ?? null
  const about = current?.about
  return {
    worker: i,
    state: worker?.state ?? (dead ? 'dead' : 'idle'),
    search: about?.kind === 'candidate' ? about.search : null,
    candidate: about?.kind === 'candidate' ? about.number : null,
    progress: news?.kind === 'progress' ? news.progress : null,
    transfer:
      about?.kind === 'transfer'
        ? { ...about.transfer, step: news?.kind === 'transferring' ? news.progress.step : null }
        : null,
    seconds: worker?.seconds ?? 0,
    residentBytes: worker?.residentBytes ?? null,
    failures,
  }
}
