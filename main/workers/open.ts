import { availableParallelism, loadavg } from 'node:os'
import { chosenSplit } from '../setup/workers.mjs'
import { createPool, type Pool, type PoolOptions } from './pool.ts'
import { inspecting } from './inspecting.ts'
import { logging } from './logging.ts'
import { openLog } from './log.ts'
import { spawnNode } from './process.ts'
import { measureSplits } from './split.ts'

export type MachineOptions = Omit<PoolOptions, 'count' | 'threads' | 'settle'> & {
  /** Worker processes, and threads of each; where neither is given, those measured to be quickest here. */
  readonly workers?: number | undefined
  readonly threads?: number | undefined
  /** Whether a machine of which nothing is known is measured before its first work, unless it is busy then. */
  readonly measure: boolean
  /** Where the workers' log is kept; none without. */
  readonly logFolder?: string | undefined
  /** The port on which Node's inspector listens for one worker; 0: any free one. */
  readonly inspectWorker?: number | undefined
  /** Told when the measuring begins. */
  readonly onMeasure?: (() => void) | undefined
}

/** Other programs keep a good part of the cores busy: what is measured now would not hold later. */
const isBusy = (): boolean => loadavg()[0]! > 0.75 * availableParallelism()

/** The workers of this machine. */
export const openPool = ({
  workers,
  threads,
  measure,
  onMeasure,
  logFolder,
  inspectWorker,
  spawn: given = spawnNode,
  ...rest
}: MachineOptions): Pool => {
  const logged = logFolder === undefined ? given : logging(given, openLog(logFolder))
  const inspector = inspectWorker === undefined ? null : inspecting(logged, inspectWorker)
  const { from, ...split } = chosenSplit({ workers, threads })
  const settle = async (signal: AbortSignal) => {
    if (isBusy()) return split
    onMeasure?.()
    const { evaluator, options = {} } = rest
    return measureSplits({ evaluator, options, spawn: given, signal })
  }
  return createPool({
    ...rest,
    ...(inspector ?? { spawn: logged }),
    count: split.workers,
    threads: split.threads,
    settle: measure && from === 'default' ? settle : undefined,
  })
}
