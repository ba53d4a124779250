import { availableParallelism, loadavg } from 'node:os'
import { chosenSplit } from '../setup/workers.mjs'
import { createPool, type Pool, type PoolOptions } from './pool.ts'
import { spawnNode } from './process.ts'
import { measureSplits } from './split.ts'

export type MachineOptions = Omit<PoolOptions, 'count' | 'threads' | 'settle'> & {
  /** Worker processes, and threads of each; where neither is given, those measured to be quickest here. */
  readonly workers?: number | undefined
  readonly threads?: number | undefined
  /** Whether a machine of which nothing is known is measured before its first work, unless it is busy then. */
  readonly measure: boolean
  /** Told when that begins. */
  readonly onMeasure?: (() => void) | undefined
}

/** Other programs keep a good part of the cores busy: what is measured now would not hold later. */
const isBusy = (): boolean => loadavg()[0]! > 0.75 * availableParallelism()

/** The workers of this machine. */
export const openPool = ({ workers, threads, measure, onMeasure, ...rest }: MachineOptions): Pool => {
  const { from, ...split } = chosenSplit({ workers, threads })
  const settle = async (signal: AbortSignal) => {
    if (isBusy()) return split
    onMeasure?.()
    const { evaluator, options = {}, spawn = spawnNode } = rest
    return measureSplits({ evaluator, options, spawn, signal })
  }
  return createPool({
    ...rest,
    count: split.workers,
    threads: split.threads,
    settle: measure && from === 'default' ? settle : undefined,
  })
}
