/** A promoted layer beside its baselines, as overviews and details show it. */
import { z } from 'zod'
import { range, real, whole } from './fields.ts'
import type { Of } from './shapes.ts'

const sampleSchema = z.object({
  mean: real,
  /** Standard deviation; null, as `interval`, with fewer than two values. */
  spread: real.nullable(),
  /** 95 % interval of the mean. */
  interval: range.nullable(),
  /** In the order of `seeds`. */
  values: z.array(real),
  seeds: z.array(whole),
})
export type Sample = Of<typeof sampleSchema>

const differenceSchema = z.object({
  difference: real,
  /** 95 % interval of the difference, not corrected. */
  interval: range.nullable(),
  /** Seeds that both finished. */
  pairs: whole,
  /** The paired t-test's; null with fewer than two pairs. */
  p: real.nullable(),
  /** The same, corrected for so many layers tried. */
  corrected: real.nullable(),
  tried: whole,
  /**
   * The promoted layer against a baseline. open: there is nothing to tell by (fewer than two seeds that both
   * finished), or the layer is ahead, but lost more runs than the baseline did.
   */
  verdict: z.enum(['better', 'worse', 'noise', 'open']),
})
/** The layer less the baseline, in the measure's unit. */
export type Difference = Of<typeof differenceSchema>
export type Verdict = Difference['verdict']

const comparedLayerSchema = z.object({
  fingerprint: z.string(),
  label: z.string(),
  role: z.enum(['layer', 'baseline']),
})
export type ComparedLayer = Of<typeof comparedLayerSchema>

export const comparisonRowSchema = comparedLayerSchema.extend({
  /** Runs by how they ended; `left` have not. */
  runs: z.object({ finished: whole, diverged: whole, collapsed: whole, failed: whole, left: whole }),
  /** By measure; absent where no finished run has it. */
  measures: z.record(z.string(), sampleSchema),
  /** The promoted layer against this baseline, by measure; empty in the layer's own row. */
  against: z.record(z.string(), differenceSchema),
})
export type ComparisonRow = Of<typeof comparisonRowSchema>
