/** Pieces of the configs' schemas. */
import { z } from 'zod'

export const count = z.int().min(0)
export const positive = z.int().min(1)
export const fraction = z.number().min(0).max(1)
export const rate = z.number().min(0)

/** What every task's config has; see `Comparable`. */
export const comparable = {
  preset: z.enum(['demo', 'overnight', 'paper']),
  evaluateEvery: positive,
  checkpointEvery: positive,
  seed: count,
  seeds: z.int().min(1).max(20),
  baselines: z.array(z.string().min(1)).max(20).readonly(),
}
