import { availableParallelism } from 'node:os'
import { memoryBytes, workersWithin } from '../setup/workers.mjs'
import type { EvaluationTask } from '../../shared/records.ts'
import { roughSecondsOf, type TransferRun } from '../../shared/transfer.ts'

export type Limits = {
  /** A worker that is not ready after so long will not be. */
  readonly startSeconds: number
  /** Without any sign for so long, a worker with a task is taken to hang. */
  readonly silenceSeconds: number
  /** Seconds a task may take in all. */
  readonly taskSeconds: (task: EvaluationTask) => number
  readonly transferSeconds: (run: TransferRun) => number
  /** A worker that holds more is killed, in the midst of its task. */
  readonly residentBytes: number
  /** A worker is replaced after so many tasks, or above so many bytes when it has finished one. */
  readonly recycleTasks: number
  readonly recycleBytes: number
  /** An idle worker is ended after so long, to give its memory back. */
  readonly idleSeconds: number
}

export const defaultLimits = (workers: number): Limits => {
  const residentBytes = (0.9 * memoryBytes()) / Math.max(1, workers)
  return {
    startSeconds: 300,
    silenceSeconds: 300,
    taskSeconds,
    transferSeconds: ({ config }) => 3600 + 20 * roughSecondsOf(config),
    residentBytes,
    recycleTasks: 200,
    recycleBytes: 0.6 * residentBytes,
    idleSeconds: 600,
  }
}

/** One worker a core, as far as memory goes. */
export const defaultWorkers = (): number => workersWithin(availableParallelism())

/**
 * Far above what a task takes on a slow core, since it only guards against a worker that works for ever: a training
 * image of 32×32 in a network of width 0.25 and full depth takes about 15 ms; ten times that is allowed, and ten minutes
 * for everything else. The second-order steps of the stability test count six times.
 */
const taskSeconds = (task: EvaluationTask): number => {
  const { training, rejection, data } = task
  const scale = (data.imageSize / 32) ** 2
  let images = 0
  for (const { width, depth } of task.architectures) {
    const size = Math.max(0.25, (width / 0.25) ** 2) * Math.max(0.25, depth) * scale
    const trained = training.steps * training.batchSize
    const quality = rejection ? rejection.quality.steps * training.batchSize : 0
    const stability = rejection ? 6 * rejection.stability.steps * rejection.stability.batchSize : 0
    images += size * (trained + quality + stability + data.validationImages)
  }
  return 600 + 0.15 * images
}
