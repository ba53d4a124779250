/** Pieces of the configs' schemas. */
import { z } from 'zod'

/** Sums and products of a few counts stay exact. */
const MOST = 2 ** 31 - 1
export const count = z.int().min(0).max(MOST)
export const positive = z.int().min(1).max(MOST)
export const fraction = z.number().min(0).max(1)
export const rate = z.number().min(0)

const MOST_SEEDS = 20

/** What every task's config has; see `Comparable`. */
export const comparable = {
  preset: z.enum(['demo', 'overnight', 'paper']),
  evaluateEvery: positive,
  checkpointEvery: positive,
  /** The last of the seeds that follow it is a whole number, too. */
  seed: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER - MOST_SEEDS),
  seeds: z.int().min(1).max(MOST_SEEDS),
  baselines: z.array(z.string().min(1)).max(20).readonly(),
}
