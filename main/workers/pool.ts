import type { DataReport, WorkerStatus } from '../../shared/contract.ts'
import type {
  DataConfig,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Failure,
} from '../../shared/records.ts'
import { defaultLimits, defaultWorkers, type Limits } from './limits.ts'
import { CHILD_FILE, spawnNode, type Spawn } from './process.ts'
import { EnvironmentError, type ToWorker } from './protocol.ts'
import { Worker, type Ending } from './worker.ts'

export type PoolOptions = {
  /** Path of the evaluator module (see protocol.ts). */
  readonly evaluator: string
  readonly count?: number | undefined
  readonly threads?: number | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly spawn?: Spawn | undefined
}

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

export type Pool = {
  readonly count: number
  run(job: Job): Promise<Outcome>
  /** Opens a data set in a worker; throws an EnvironmentError of one sentence when it can't be used. */
  check(data: DataConfig): Promise<DataReport>
  /** Versions and device, once a worker has told them. */
  facts(): Readonly<Record<string, string>>
  status(): WorkerStatus[]
  onStatus(listener: () => void): () => void
  close(): void
}

type Queued = {
  readonly message: (task: number) => ToWorker
  readonly seconds: number
  readonly search: string | null
  readonly candidate: number | null
  readonly onStart: () => void
  readonly onProgress: (progress: EvaluationProgress) => void
  /** Returns whether it is to be tried again. */
  readonly onEnd: (ending: Ending) => boolean
}
type Slot = {
  worker: Worker | null
  current: Queued | null
  failures: number
  idleSince: number
  spare: boolean
}

const ATTEMPTS = 2
const CHECK_SECONDS = 600

/** Local worker processes, started when there is work and kept warm. Tasks start in the order they came. */
export const createPool = (options: PoolOptions): Pool => {
  const count = options.count ?? defaultWorkers()
  const limits = { ...defaultLimits(count), ...options.limits }
  const spawn = options.spawn ?? spawnNode
  const slots: Slot[] = Array.from({ length: count }, () => emptySlot(false))
  const queue: Queued[] = []
  const listeners = new Set<() => void>()
  let facts: Readonly<Record<string, string>> = {}
  let tasks = 0
  let failedStarts = 0
  let closed = false

  const changed = (): void => {
    for (const listener of listeners) listener()
  }

  const start = (slot: Slot): void => {
    const worker = new Worker({
      child: spawn(CHILD_FILE, [options.evaluator, String(options.threads ?? 1)]),
      silenceSeconds: limits.silenceSeconds,
      residentBytes: limits.residentBytes,
      onReady: (found) => {
        facts = found
        failedStarts = 0
        slot.idleSince = performance.now()
        pump()
      },
      onProgress: (progress) => {
        slot.current?.onProgress(progress)
        changed()
      },
      onEnd: (ending) => ended(slot, worker, ending),
    })
    slot.worker = worker
  }

  const ended = (slot: Slot, worker: Worker, ending: Ending): void => {
    if (slot.worker !== worker) return
    const current = slot.current
    slot.current = null
    slot.idleSince = performance.now()
    if (ending.kind === 'gone') {
      slot.worker = null
      if (!ending.ready) startFailed(ending.cause, ending.trace)
      if (current) slot.failures += 1
    } else if (worker.tasks >= limits.recycleTasks || (worker.residentBytes ?? 0) > limits.recycleBytes) {
      retire(slot)
    }
    if (current?.onEnd(ending)) queue.unshift(current)
    pump()
  }

  // A runtime that does not load will not load the next time either: whoever waits is told.
  const startFailed = (cause: string, trace: string): void => {
    failedStarts += 1
    if (failedStarts < ATTEMPTS) return
    failedStarts = 0
    for (const waiting of queue.splice(0))
      waiting.onEnd({ kind: 'gone', cause: `worker processes can't start: ${cause}`, trace, ready: false })
  }

  const retire = (slot: Slot): void => {
    const worker = slot.worker
    slot.worker = null
    worker?.end('no longer needed')
  }

  const pump = (): void => {
    if (closed) return
    for (const slot of slots) {
      if (queue.length === 0) break
      if (slot.worker?.state === 'idle') assign(slot, queue.shift()!)
    }
    let starting = slots.filter((slot) => slot.worker?.state === 'starting').length
    for (const slot of slots)
      if (slot.worker === null && !slot.spare && starting < queue.length) {
        start(slot)
        starting += 1
      }
    // A question that all workers are too busy for gets one of its own.
    if (queue.some(isQuestion) && starting === 0) {
      const slot = emptySlot(true)
      slots.push(slot)
      start(slot)
    }
    for (const slot of slots.filter(
      ({ spare, current, worker }) => spare && !current && worker?.state !== 'starting',
    )) {
      retire(slot)
      slots.splice(slots.indexOf(slot), 1)
    }
    changed()
  }

  const assign = (slot: Slot, item: Queued): void => {
    slot.current = item
    slot.worker!.assign(item.message((tasks += 1)), item.seconds)
    item.onStart()
  }

  const idle = setInterval(() => {
    for (const slot of slots)
      if (slot.worker?.state === 'idle' && performance.now() - slot.idleSince > limits.idleSeconds * 1000)
        retire(slot)
  }, 1000)
  idle.unref()

  return {
    count,
    run: (job) =>
      new Promise((resolve) => {
        let attempts = 0
        const item: Queued = {
          message: (task) => ({ kind: 'evaluate', task, argument: job.task }),
          seconds: limits.taskSeconds(job.task),
          search: job.search,
          candidate: job.candidate,
          onStart: () => job.onStart?.(),
          onProgress: (progress) => job.onProgress?.(progress),
          onEnd: (ending) => {
            if (job.signal.aborted) return false
            attempts += 1
            const outcome = outcomeOf(ending, attempts)
            if (outcome) finish(outcome)
            return outcome === null
          },
        }
        const abort = (): void => {
          const position = queue.indexOf(item)
          if (position >= 0) queue.splice(position, 1)
          const slot = slots.find(({ current }) => current === item)
          if (slot) {
            slot.current = null
            retire(slot)
          }
          finish({ kind: 'cancelled' })
          pump()
        }
        const finish = (outcome: Outcome): void => {
          job.signal.removeEventListener('abort', abort)
          resolve(outcome)
        }
        if (job.signal.aborted || closed) return resolve({ kind: 'cancelled' })
        job.signal.addEventListener('abort', abort)
        queue.push(item)
        pump()
      }),
    check: (data) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new EnvironmentError('the workers have been ended'))
        queue.unshift({
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
        })
        pump()
      }),
    facts: () => facts,
    status: () =>
      slots.map((slot, i) => ({
        worker: i,
        state: slot.worker?.state ?? (slot.failures > 0 && queue.length > 0 ? 'dead' : 'idle'),
        search: slot.current?.search ?? null,
        candidate: slot.current?.candidate ?? null,
        progress: slot.worker?.progress ?? null,
        seconds: slot.worker?.seconds ?? 0,
        residentBytes: slot.worker?.residentBytes ?? null,
        failures: slot.failures,
      })),
    onStatus: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      closed = true
      clearInterval(idle)
      for (const slot of slots) retire(slot)
      for (const waiting of queue.splice(0))
        waiting.onEnd({ kind: 'gone', cause: 'the workers have been ended', trace: '', ready: true })
    },
  }
}

const emptySlot = (spare: boolean): Slot => ({
  worker: null,
  current: null,
  failures: 0,
  idleSince: performance.now(),
  spare,
})

const isQuestion = (item: Queued): boolean => item.candidate === null

/** null: to be tried again. */
const outcomeOf = (ending: Ending, attempts: number): Outcome | null => {
  if (ending.kind === 'answer') {
    const { message } = ending
    if (message.kind === 'evaluated') return { kind: 'result', result: message.result }
    if (message.kind === 'error' && message.environment)
      return { kind: 'environment', message: message.message }
    if (message.kind === 'error')
      return attempts < ATTEMPTS
        ? null
        : { kind: 'failure', failure: { cause: message.message, trace: message.trace, attempts } }
    throw new Error(`pool: needs an answer to "evaluate", got "${message.kind}"`)
  }
  if (!ending.ready) return { kind: 'environment', message: ending.cause }
  return attempts < ATTEMPTS
    ? null
    : { kind: 'failure', failure: { cause: ending.cause, trace: ending.trace, attempts } }
}
