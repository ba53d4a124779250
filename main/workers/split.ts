/**
 * Measures, with real worker processes, how many of how many threads train most on this machine: steps a second of a
 * small network (the demo's) by all workers of a split together. Takes some seconds; done once a machine.
 */
import { availableParallelism } from 'node:os'
import { hasNvidiaDriver } from '../setup/places.mjs'
import { writeMeasured } from '../setup/machine.mjs'
import { chosenSplit, splitFile, workersWithin, type Split, type Trial } from '../setup/workers.mjs'
import { CHILD_FILE, type Child, type Spawn } from './process.ts'
import type { EvaluatorOptions, FromWorker } from './protocol.ts'

/** How often each split is timed, and how long; the quickest time is the least disturbed one. */
const [TIMES, SECONDS] = [3, 0.6]
/** A split whose workers don't answer in this time is left out: first starts read TensorFlow from the disk. */
const PATIENCE_SECONDS = 60

/**
 * The splits worth trying, one worker a core first. A GPU is shared: a few workers fill it, where one alone leaves gaps
 * between its small kernels.
 */
export const splitsOf = (cores: number, gpu: boolean, most: number): Split[] => {
  const counts = gpu ? [1, 2, 4, 8, cores] : [cores, 1, Math.floor(cores / 2)]
  const workers = [...new Set(counts.map((count) => Math.min(count, cores, most)))].filter(
    (count) => count >= 1,
  )
  return workers.map((count) => ({ workers: count, threads: Math.max(1, Math.floor(cores / count)) }))
}

export type Measuring = {
  readonly evaluator: string
  readonly spawn: Spawn
  readonly options?: Omit<EvaluatorOptions, 'threads'>
  readonly seconds?: number
  /** Ends the measurement. */
  readonly signal?: AbortSignal
}

/** Steps a second of all workers of a split together; rejects when one of them fails. */
export const timeSplit = async (
  split: Split,
  { evaluator, spawn, options, seconds = SECONDS, signal }: Measuring,
): Promise<number> => {
  const children = Array.from({ length: split.workers }, () => {
    const told: EvaluatorOptions = { ...options, threads: split.threads }
    return conversation(spawn(CHILD_FILE, [evaluator, JSON.stringify(told)]))
  })
  const all = (seconds: number) => Promise.all(children.map(({ measure }) => measure(seconds)))
  const late = promised<never>()
  const timer = setTimeout(() => late.reject(new Error('the workers do not answer')), PATIENCE_SECONDS * 1000)
  const abort = (): void => late.reject(new Error('aborted'))
  signal?.addEventListener('abort', abort)
  try {
    await Promise.race([Promise.all(children.map(({ ready }) => ready)), late.promise])
    // The first steps make the network; then all are timed at once.
    await Promise.race([all(0), late.promise])
    let best = 0
    for (let i = 0; i < TIMES; i++) {
      const rates = await Promise.race([all(seconds), late.promise])
      best = Math.max(
        best,
        rates.reduce((sum, rate) => sum + rate, 0),
      )
    }
    return best
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    for (const { end } of children) end()
  }
}

/** Nobody may be waiting for it when it fails: of several workers the first failure ends the waiting. */
const promised = <T>(): PromiseWithResolvers<T> => {
  const made = Promise.withResolvers<T>()
  made.promise.catch(() => undefined)
  return made
}

/** A worker process that is only asked how quick it is. */
const conversation = (child: Child) => {
  const ready = promised<true>()
  let waiting = promised<number>()
  const failed = (cause: string): void => {
    ready.reject(new Error(cause))
    waiting.reject(new Error(cause))
  }
  child.onMessage((message: FromWorker) => {
    if (message.kind === 'ready') ready.resolve(true)
    else if (message.kind === 'measured') waiting.resolve(message.stepsPerSecond)
    else if (message.kind === 'error' || message.kind === 'broken') failed(message.message)
  })
  child.onExit((code) => failed(`a worker ended with ${code}`))
  const measure = (seconds: number): Promise<number> => {
    waiting = promised()
    child.send({ kind: 'measure', task: 0, argument: seconds })
    return waiting.promise
  }
  return { ready: ready.promise, measure, end: () => child.kill() }
}

/** Measures all splits, keeps the figures for this machine, and gives the one to use; the default where none works. */
export const measureSplits = async (measuring: Measuring, file = splitFile()): Promise<Split> => {
  const cores = availableParallelism()
  const trials: Trial[] = []
  for (const split of splitsOf(cores, hasNvidiaDriver(), workersWithin(cores))) {
    if (measuring.signal?.aborted) break
    try {
      trials.push({ ...split, stepsPerSecond: await timeSplit(split, measuring) })
    } catch {
      // What is wrong will be told to the search, whose workers can't start either.
    }
  }
  if (trials.length === 0 || measuring.signal?.aborted) return chosenSplit({}, null)
  const measured = { measured: new Date().toISOString(), trials }
  writeMeasured(file, measured)
  return chosenSplit({}, measured)
}
