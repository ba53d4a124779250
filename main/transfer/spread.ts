/** How far apart two seeds of one layer come out, by verifications of the same networks, images and budget. */
import { deviation } from '../../shared/statistics.ts'
import type { SearchConfig } from '../../shared/records.ts'
import type { TransferConfig } from '../../shared/transfer.ts'
import { ACCURACY, isVerification } from '../../shared/transfer/verification.ts'
import type { Database } from '../store/database.ts'
import { listPromotions } from '../store/promotions.ts'
import { runsOf } from '../store/runs.ts'

/**
 * Standard deviation between seeds of the mean accuracy after so many steps, pooled over all layers that were trained with
 * two seeds or more; null where none was.
 */
export const seedSpread = (db: Database, config: SearchConfig, steps: number): number | null => {
  const budget = budgetOf(config, steps)
  const values = new Map<string, Map<number, number>>()
  for (const { id, config: verified } of listPromotions(db)) {
    if (!isVerification(verified) || budgetOf(verified, verified.training.steps) !== budget) continue
    for (const { fingerprint, seed, result } of runsOf(db, id)) {
      const accuracy = result?.outcome === 'finished' ? result.measures[ACCURACY] : undefined
      if (accuracy === undefined) continue
      const own = values.get(fingerprint) ?? new Map<number, number>()
      values.set(fingerprint, own.set(seed, accuracy))
    }
  }
  let [squares, freedom] = [0, 0]
  for (const own of values.values()) {
    const spread = deviation([...own.values()])
    if (spread === null) continue
    squares += (own.size - 1) * spread ** 2
    freedom += own.size - 1
  }
  return freedom > 0 ? Math.sqrt(squares / freedom) : null
}

type Budgeted = Pick<Extract<TransferConfig, { task: 'verification' }>, 'training' | 'architectures'> & {
  readonly data: SearchConfig['data']
}

/** What decides how a training comes out, but for the layer and the seed. */
const budgetOf = ({ training, architectures, data }: Budgeted, steps: number): string =>
  JSON.stringify([
    data.kind,
    data.path ?? '',
    data.imageSize,
    data.trainingImages,
    architectures.map(({ name, width, depth }) => [name, width, depth]),
    ...Object.entries({ ...training, steps }).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
