import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { createPool, type Job, type PoolOptions } from '../../main/workers/pool.ts'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { KNOWN } from '../../shared/known.ts'
import type { EvaluationTask } from '../../shared/records.ts'
import { STAND_IN, type Faults } from './stand-in.ts'

/** A task about the known layer at a position. */
export const taskOf = (layer: number): EvaluationTask => {
  const { data, architectures, training, rejection } = PRESETS.demo.config
  const { graph } = KNOWN[layer % KNOWN.length]!
  return { purpose: 'score', graph, seed: layer, data, architectures, training, rejection }
}

export const fingerprintOf = (layer: number): string => fingerprint(taskOf(layer).graph)

export const jobOf = (layer: number, more: Partial<Job> = {}): Job => ({
  task: taskOf(layer),
  search: 'a search',
  candidate: layer,
  signal: new AbortController().signal,
  ...more,
})

/** What a stand-in is told by its environment. */
export type Told = { readonly milliseconds?: number; readonly log?: string; readonly faults?: Faults }

/** Tells the stand-ins that are started from now on. */
export const tell = ({ milliseconds = 5, log = '', faults = {} }: Told): void => {
  process.env['NORMFORGE_STANDIN_MS'] = String(milliseconds)
  process.env['NORMFORGE_STANDIN_LOG'] = log
  process.env['NORMFORGE_STANDIN_FAULTS'] = JSON.stringify(faults)
}

/** A pool of stand-ins, the ids of the processes it started, and how to tell those to come something else. */
export const poolOf = (told: Told, options: Partial<PoolOptions> = {}) => {
  const pids: number[] = []
  const base = options.spawn ?? spawnNode
  const spawn: Spawn = (file, args) => {
    tell(told)
    const child = base(file, args)
    if (child.pid !== undefined) pids.push(child.pid)
    return child
  }
  return {
    pids,
    pool: createPool({ evaluator: STAND_IN, count: 1, ...options, spawn }),
    retell: (other: Told): void => {
      told = other
    },
  }
}

/** Whether a process runs. One that ended counts as gone even where nobody has taken note of its end yet. */
export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return platform() !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until something holds; a test that waits for ever is ended by its own time limit. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}
