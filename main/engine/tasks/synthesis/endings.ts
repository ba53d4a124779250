/** When a run is over for want of variety: simple rules on what is measured anyway. */
import type { TransferPoint } from '../../../../shared/transfer.ts'
import type { Ending } from '../training.ts'

/** Less of the real images' variance of features than this is no variety. */
const LEAST_VARIANCE = 0.02
/** A mean loss of the discriminator below this tells every image apart. */
const LEAST_LOSS = 1e-3
/** Measurements in succession that have to say the same. */
const TWICE = 2

/**
 * A collapse, from the measured points so far; the first is the untrained generator's. `variances` are those of the
 * generated images' features at the same points, as fractions of the real images'.
 */
export const collapse = (measured: readonly TransferPoint[], variances: readonly number[]): Ending | null => {
  const untrained = measured[0]?.measures?.['fid']
  const last = measured.slice(1).slice(-TWICE)
  const { step } = measured.at(-1) ?? { step: 0 }
  if (untrained === undefined || last.length < TWICE) return null
  const collapsed = (reason: string): Ending => ({ outcome: 'collapsed', reason })
  const [low, high] = [variances.slice(-TWICE), last.map(({ measures }) => measures!['fid']!)]
  if (low.every((variance) => variance < LEAST_VARIANCE))
    return collapsed(
      `The generated images were all alike at step ${step}: ${(100 * low.at(-1)!).toFixed(1)} % of the real ones' variance.`,
    )
  if (high.every((fid) => fid > untrained))
    return collapsed(
      `FID was ${high.at(-1)!.toFixed(1)} at step ${step}, above the untrained generator's ${untrained.toFixed(1)} twice in succession.`,
    )
  if (last.every(({ losses }) => (losses['discriminator'] ?? 1) < LEAST_LOSS))
    return collapsed(
      `The discriminator's loss stayed below ${LEAST_LOSS} up to step ${step}: it told every image apart.`,
    )
  return null
}
