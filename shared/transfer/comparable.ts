import { z } from 'zod'
import { PRESET_NAMES } from '../catalog.ts'
import { positive } from '../records/fields.ts'
import type { Of } from '../records/shapes.ts'

const MOST_SEEDS = 20

const comparableSchema = z.object({
  preset: z.enum(PRESET_NAMES),
  /** Steps between measurements, and between checkpoints; the last step has both. */
  evaluateEvery: positive,
  checkpointEvery: positive,
  /** Each layer is trained with the seeds `seed`, `seed + 1`, … : `seeds` of them. */
  // The last of the seeds that follow it is a whole number, too.
  seed: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER - MOST_SEEDS),
  seeds: z.int().min(1).max(MOST_SEEDS),
  /** Known layers trained beside the promoted one with the same budget and seeds, by name (see known.ts). */
  baselines: z.array(z.string().min(1)).max(20),
})
/** What every task's settings have beside its own numbers. */
export const comparable = comparableSchema.shape
export type Comparable = Of<typeof comparableSchema> & { readonly training: { readonly steps: number } }
