import {
  protocolOf,
  roughSecondsOf,
  type Promotion,
  type StoredRun,
  type TransferConfig,
} from '../../shared/transfer.ts'
import type { TransferPrediction } from '../../shared/transfer/contract.ts'

/** Seconds a step by protocol, as seen on this machine. */
export type Paces = ReadonlyMap<string, number>

/** How far off an estimate may be, as factors: from runs seen here, or from a rule of thumb. */
const SEEN = [0.8, 1.3] as const
const ROUGH = [0.4, 3] as const

/** Predicts one promotion by itself: so many runs, as many at once as there are workers. */
export const predictTransfer = (
  config: TransferConfig,
  runs: number,
  workers: number,
  paces: Paces,
): TransferPrediction => {
  const step = stepSeconds(config, paces)
  const whole = step.seconds * config.training.steps
  return spanOf({ seconds: Math.ceil(runs / workers) * whole, measured: step.measured })
}

/** A promotion in line, with its runs. */
export type InLine = { readonly promotion: Promotion; readonly runs: readonly StoredRun[] }

/**
 * When each promotion will be done, those before it included: all the work up to it shared out among the workers, and at
 * least as long as the longest of its runs.
 */
export const forecastLine = (
  line: readonly InLine[],
  workers: number,
  paces: Paces,
): Map<string, TransferPrediction> => {
  const counted = new Set<string>()
  let total = 0
  let measured = true
  return new Map(
    line.map(({ promotion, runs }) => {
      const step = stepSeconds(promotion.config, paces)
      measured &&= step.measured
      let longest = 0
      for (const { key, state, steps, step: done } of runs) {
        if (state !== 'queued' && state !== 'running') continue
        const left = (steps - done) * step.seconds
        longest = Math.max(longest, left)
        if (!counted.has(key)) total += left
        counted.add(key)
      }
      return [promotion.id, spanOf({ seconds: Math.max(total / workers, longest), measured })]
    }),
  )
}

const stepSeconds = (config: TransferConfig, paces: Paces): { seconds: number; measured: boolean } => {
  const seen = paces.get(protocolOf(config))
  return seen === undefined
    ? { seconds: roughSecondsOf(config) / config.training.steps, measured: false }
    : { seconds: seen, measured: true }
}

const spanOf = ({ seconds, measured }: { seconds: number; measured: boolean }): TransferPrediction => {
  const [low, high] = measured ? SEEN : ROUGH
  return { seconds: { low: low * seconds, high: high * seconds }, measured }
}
