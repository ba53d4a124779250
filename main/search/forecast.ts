import type { SearchSummary } from '../../shared/contract.ts'
import type { Search } from '../../shared/records.ts'
import type { Pace } from '../store/summary.ts'

type Forecast = Pick<SearchSummary, 'progress' | 'eta'>
/** Seconds, with how far off they may be either way. */
type Span = { readonly seconds: number; readonly spread: number }

/** Before so many candidates are trained, nothing is foretold. */
const LEAST = 5
const UNKNOWN: Forecast = { progress: null, eta: null }
const NOTHING: Span = { seconds: 0, spread: 0 }

/**
 * How far a search is and how long it will take: the rest of its time limit, or of its candidates at their recent
 * pace, whichever ends first, then the re-ranking at the pace of whole trainings so far.
 */
export const forecast = (search: Search, pace: Pace, workers: number): Forecast => {
  if (search.stage === 'finished') return { progress: 1, eta: null }
  const { seconds, config } = search
  const proposing = search.stage === 'rerank' ? NOTHING : proposalsLeft(search, pace, workers)
  if (proposing === null) return UNKNOWN
  const reranking = rerankLeft(config, pace, workers)
  const left = proposing.seconds + (reranking?.seconds ?? 0)
  const progress = seconds + left > 0 ? seconds / (seconds + left) : 0
  if (pace.settled < LEAST || reranking === null) return { progress, eta: null }
  const spread = proposing.spread + reranking.spread
  return { progress, eta: { low: Math.max(0, left - spread), high: left + spread } }
}

/** null where neither a limit nor a pace says when the search stops. */
const proposalsLeft = (search: Search, pace: Pace, workers: number): Span | null => {
  const { maxSeconds, maxTrained } = search.config.evolution
  const byTime = maxSeconds > 0 ? timeLeft(search, pace, workers) : null
  const interval = maxTrained > 0 ? intervalOf(pace.recent) : null
  if (interval === null) return byTime
  const waits = Math.max(0, maxTrained - pace.settled)
  const byCount = { seconds: waits * interval.seconds, spread: waits * interval.spread }
  return byTime && byTime.seconds < byCount.seconds ? byTime : byCount
}

/** The time limit counts from the end of the baselines. */
const timeLeft = ({ seconds, config }: Search, pace: Pace, workers: number): Span => {
  const { maxSeconds } = config.evolution
  if (pace.baselinesTrained !== null)
    return { seconds: Math.max(0, maxSeconds - (seconds - pace.baselinesTrained)), spread: 0 }
  const baselines = (pace.baselinesLeft * (pace.training ?? 0)) / workers
  return { seconds: baselines + maxSeconds, spread: 0.25 * baselines }
}

/** Mean time between two settled candidates, and twice its standard error. */
const intervalOf = (recent: Pace['recent']): Span | null => {
  if (recent.length < 2) return null
  const gaps = recent.slice(1).map((at, i) => recent[i]! - at)
  const seconds = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - seconds) ** 2, 0) / gaps.length
  return { seconds, spread: 2 * Math.sqrt(variance / gaps.length) }
}

/** Trainings of the re-ranking in rounds of `workers`; null where no whole training has been seen. */
const rerankLeft = ({ evolution, training }: Search['config'], pace: Pace, workers: number): Span | null => {
  const { count, steps } = evolution.rerank
  if (count === 0 || steps === 0) return NOTHING
  if (pace.training === null) return null
  // The best baseline is trained longer beside them.
  const rounds = Math.max(0, count + 1 - pace.reranked) / workers
  const seconds = rounds * pace.training * (steps / training.steps)
  return { seconds, spread: 0.25 * seconds }
}
