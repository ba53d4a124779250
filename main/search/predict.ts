import { multiplyAdds } from '../../shared/architectures/cost.ts'
import type { Prediction } from '../../shared/contract.ts'
import type { ArchitectureConfig, Evaluation, SearchConfig } from '../../shared/records.ts'

/** A training seen on this machine, and the settings of its search. */
export type Seen = { readonly evaluation: Evaluation; readonly config: SearchConfig }

/**
 * Seconds of a training step before any was seen here: a fixed part for dispatching its few thousand ops, and one
 * for its multiply-adds, three times the forward pass's. One thread of a desktop processor, rounded.
 */
const STEP_SECONDS = 0.008
const SECONDS_PER_MULTIPLY_ADD = 4e-11
/** A step of the stability test goes backwards twice. */
const SECOND_ORDER = 2.5
/** Most layers that are trained at all stop early: the cheapest search still does this part of the work. */
const LEAST_OF_TRAINING = 0.3

/**
 * How long a search will take with `workers` processes of one thread, before it starts: from trainings of the same
 * architectures seen on this machine, where there are any, else from their multiply-adds.
 */
export const predict = (config: SearchConfig, workers: number, seen: readonly Seen[]): Prediction => {
  const { training, evolution, rejection, architectures, baselines } = config
  const steps = architectures.map((architecture) => stepSeconds(architecture, config, seen))
  const perStep = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  const whole = perStep * training.steps
  const cheapest = Math.min(...steps.map(({ seconds }) => seconds))
  const ascent = (SECOND_ORDER * rejection.stability.batchSize) / training.batchSize
  const candidate = whole + cheapest * ascent * rejection.stability.steps

  const share = (seconds: number): number => seconds / Math.max(1, workers)
  const compared = share(baselines.length * whole)
  const trained = (part: number): number => share(part * evolution.maxTrained * candidate)
  const { count, steps: longer } = evolution.rerank
  // The best baseline is trained longer beside the best layers.
  const reranked = share(perStep * longer * (count > 0 ? count + 1 : 0))
  const search = (part: number): number => {
    const limits = [
      ...(evolution.maxSeconds > 0 ? [evolution.maxSeconds] : []),
      ...(evolution.maxTrained > 0 ? [trained(part)] : []),
    ]
    return limits.length > 0 ? compared + Math.min(...limits) + reranked : Infinity
  }
  const [low, high] = [search(LEAST_OF_TRAINING), search(1)]
  return {
    seconds: Number.isFinite(high) ? { low, high } : null,
    candidateSeconds: candidate,
    measured: steps.every(({ measured }) => measured),
  }
}

const stepSeconds = (
  architecture: ArchitectureConfig,
  { training: { batchSize }, data: { imageSize } }: SearchConfig,
  seen: readonly Seen[],
): { readonly seconds: number; readonly measured: boolean } => {
  const { name, width, depth } = architecture
  const same = seen.filter(
    ({ evaluation: { architecture: other, steps }, config }) =>
      other.name === name &&
      other.width === width &&
      other.depth === depth &&
      config.training.batchSize === batchSize &&
      config.data.imageSize === imageSize &&
      steps > 0,
  )
  const paces = same.map(({ evaluation }) => evaluation.seconds / evaluation.steps).sort((a, b) => a - b)
  const median = paces[paces.length >> 1]
  if (median !== undefined) return { seconds: median, measured: true }
  const work = 3 * batchSize * multiplyAdds(architecture, imageSize)
  return { seconds: STEP_SECONDS + work * SECONDS_PER_MULTIPLY_ADD, measured: false }
}
