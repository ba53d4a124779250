/** Promotions in words: their tasks, what they are of, how long they take. */
import {
  TRANSFER_TASKS,
  type PromotedLayer,
  type Promotion,
  type PromotionState,
  type StoredRun,
} from '../../shared/transfer.ts'
import type { TransferPrediction, TransferSummary } from '../../shared/transfer/contract.ts'
import { durationRange, plural } from '../format.ts'

/** Not ended: it has a place in the queue, be it a paused one. */
export const inLine = (state: PromotionState): boolean =>
  state === 'queued' || state === 'running' || state === 'paused'

/** The layer as people call it: a number alone says nothing away from its search. */
export const layerName = ({ label, from }: Pick<PromotedLayer, 'label' | 'from'>): string =>
  from.kind === 'candidate' ? rowName(label) : label

/** The same for a row of the comparison. */
export const rowName = (label: string): string => (/^#\d+$/.test(label) ? `Layer ${label}` : label)

export const taskName = ({ config }: Pick<Promotion, 'config'>): string => TRANSFER_TASKS[config.task].label

/** "instance segmentation and image synthesis". */
export const layersText = (summaries: readonly Pick<TransferSummary, 'promotion'>[]): string =>
  summaries.map(({ promotion }) => taskName(promotion).toLowerCase()).join(' and ')

/** When several in line are all done: the last one's time. */
export const together = (summaries: readonly Pick<TransferSummary, 'eta'>[]): TransferPrediction | null =>
  summaries.reduce<TransferPrediction | null>(
    (last, { eta }) => (eta && (!last || eta.seconds.high > last.seconds.high) ? eta : last),
    null,
  )

export const etaText = (eta: TransferPrediction): string => durationRange(eta.seconds.low, eta.seconds.high)

/** What an estimate rests on. */
export const basisText = ({ measured }: TransferPrediction): string =>
  measured ? 'from runs seen on this machine' : 'a rule of thumb until a run has been seen here'

/** "seeds 1–3", "seed 1". */
export const seedsText = ({ seed, seeds }: Promotion['config']): string =>
  seeds === 1 ? `seed ${seed}` : `seeds ${seed}–${seed + seeds - 1}`

/** "6 of 15 runs done, 1 failed, 5 of them reused". */
export const runsLine = ({ runs, reused }: Pick<TransferSummary, 'runs' | 'reused'>): string => {
  const all = runs.queued + runs.running + runs.done + runs.failed
  return [
    `${runs.done} of ${plural(all, 'run')} done`,
    runs.failed > 0 ? `${runs.failed} failed` : '',
    reused > 0 ? `${reused} reused` : '',
  ]
    .filter(Boolean)
    .join(', ')
}

/** How a run stands or ended, in a word or two. */
export const runState = ({ state, result }: Pick<StoredRun, 'state' | 'result'>): string =>
  state === 'done' && result
    ? { finished: 'Finished', diverged: 'Diverged', collapsed: 'Collapsed' }[result.outcome]
    : { queued: 'In line', running: 'Running', done: 'Finished', failed: 'Failed' }[state]
