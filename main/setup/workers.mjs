// How many worker processes this machine gets, and of how many threads: as the user says, else as was measured at the
// first search (main/workers/split.ts), else one a core.
import fs from 'node:fs'
import os from 'node:os'
import { machineFile } from './machine.mjs'

/** @typedef {{ readonly workers: number, readonly threads: number }} Split */
/** @typedef {Split & { readonly stepsPerSecond: number }} Trial */
/** @typedef {{ readonly measured: string, readonly trials: readonly Trial[] }} Measured `measured` is an ISO date. */
/** @typedef {{ readonly workers?: number | undefined, readonly threads?: number | undefined }} Given */

/** What a worker needs at least: TensorFlow's libraries and a small network under training. */
const WORKER_BYTES = 1.25 * 2 ** 30
/** Another split has to be better than one worker a core by more than the noise. */
const WORTH = 1.05

/** Memory that this process may use, in bytes. */
export const memoryBytes = () => Math.min(os.totalmem(), process.constrainedMemory?.() || Infinity)

/** As many workers as memory allows, up to `wanted`. @param {number} wanted */
export const workersWithin = (wanted, bytes = memoryBytes()) =>
  Math.max(1, Math.min(wanted, Math.floor((0.9 * bytes) / WORKER_BYTES)))

export const splitFile = () => machineFile('workers.json')

/** @param {unknown} value @returns {value is Trial} */
const isTrial = (value) => {
  const { workers, threads, stepsPerSecond } = /** @type {Record<string, unknown>} */ (value ?? {})
  const counts = [workers, threads].every((count) => Number.isInteger(count) && Number(count) >= 1)
  return counts && typeof stepsPerSecond === 'number' && stepsPerSecond > 0
}

/** What was measured here; null where nothing was, or where the file can't be read. @returns {Measured | null} */
export const measuredSplits = (file = splitFile()) => {
  try {
    const found = JSON.parse(fs.readFileSync(file, 'utf8'))
    const whole = typeof found.measured === 'string' && found.trials.length > 0 && found.trials.every(isTrial)
    return whole ? found : null
  } catch {
    return null
  }
}

/** The quickest; the first one, which is one worker a core, where none is clearly quicker. @param {readonly Trial[]} trials */
export const bestOf = (trials) =>
  trials.reduce((best, trial) => {
    const margin = best === trials[0] ? WORTH : 1
    return trial.stepsPerSecond > margin * best.stepsPerSecond ? trial : best
  })

/**
 * The split to use, and where it comes from. Of a user who names one number the other one follows.
 * @param {Given} given @param {Measured | null} measured
 * @returns {Split & { readonly from: 'given' | 'measured' | 'default' }}
 */
export const chosenSplit = ({ workers, threads }, measured = measuredSplits()) => {
  const cores = os.availableParallelism()
  if (workers !== undefined) return { workers, threads: threads ?? 1, from: 'given' }
  if (threads !== undefined)
    return { workers: workersWithin(Math.max(1, Math.floor(cores / threads))), threads, from: 'given' }
  if (!measured) return { workers: workersWithin(cores), threads: 1, from: 'default' }
  const best = bestOf(measured.trials)
  return { workers: workersWithin(best.workers), threads: best.threads, from: 'measured' }
}

/** @param {Split} split */
const textOf = ({ workers, threads }) => `${workers} of ${threads} thread${threads === 1 ? '' : 's'}`

/** The split as the doctor says it, in one line. @param {Given} [given] */
export const describeSplit = (given = {}, measured = measuredSplits()) => {
  const { from, ...split } = chosenSplit(given, measured)
  if (from === 'given') return `${textOf(split)} (as --workers or --threads say)`
  if (from === 'default' || !measured)
    return `${textOf(split)} (default; the first search measures what is quickest)`
  const all = measured.trials.map((trial) => `${textOf(trial)} ${Math.round(trial.stepsPerSecond)}`)
  return `${textOf(split)} (measured on ${measured.measured.slice(0, 10)}, steps a second: ${all.join(', ')})`
}
