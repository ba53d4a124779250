/** What comes back about transfers, checked where it arrives in the page. */
import { z } from 'zod'
import { comparisonRowSchema } from '../records/comparison.ts'
import { dataReportSchema } from '../records/data.ts'
import { range, real, reals, whole } from '../records/fields.ts'
import type { Of } from '../records/shapes.ts'
import { listOf } from '../records/unreadable.ts'
import { promotionSchema } from '../transfer.ts'
import { pointSchema, runSchema } from './records.ts'
import { waitingSchema } from './waiting.ts'

const predictionSchema = z.object({
  seconds: range,
  /** Whether from runs seen on this machine, and not from a rule of thumb. */
  measured: z.boolean(),
})
export type TransferPrediction = Of<typeof predictionSchema>

const summarySchema = z.object({
  promotion: promotionSchema,
  /** The promoted layer first, then the baselines. */
  comparison: z.array(comparisonRowSchema),
  /** What real data comes to, by measure; empty for a task without a yardstick, and until a run has told. */
  real: reals,
  runs: z.object({ queued: whole, running: whole, done: whole, failed: whole }),
  /** Runs that were finished before it was made. */
  reused: whole,
  /** 0..1 of all its steps. */
  progress: real,
  /** Until it ends, with what is in line before it; null when nothing of it is in line. */
  eta: predictionSchema.nullable(),
  /** null: something of it is under way or about to be, or it is not in line. */
  waiting: waitingSchema.nullable(),
  /** What its runs were trained and measured on; absent until one has ended. */
  data: dataReportSchema.optional(),
})
export type TransferSummary = Of<typeof summarySchema>

const runDetailSchema = z.object({
  run: runSchema,
  label: z.string(),
  role: comparisonRowSchema.shape.role,
  curve: z.array(pointSchema),
  /** Names of its pictures, by step: for `transfers.picture`. */
  pictures: z.array(z.string()),
})
export type TransferRunDetail = Of<typeof runDetailSchema>

const detailSchema = z.object({
  summary: summarySchema,
  /** In the order in which they are done. */
  runs: z.array(runDetailSchema),
})
export type TransferDetail = Of<typeof detailSchema>

/** Request name to the schema of its reply. */
export const TRANSFER_REPLIES = {
  'transfers.list': listOf(summarySchema, { id: ['promotion', 'id'], name: ['promotion', 'layer', 'label'] }),
  'transfers.get': detailSchema,
  'transfers.check': dataReportSchema,
  'transfers.predict': predictionSchema,
  'transfers.promote': z.object({ summary: summarySchema, existing: z.boolean() }),
  'transfers.undo': z.object({ id: z.string() }),
  'transfers.cancel': summarySchema,
  'transfers.pause': summarySchema,
  'transfers.resume': summarySchema,
  /** The PNG file's bytes in base64. */
  'transfers.picture': z.object({ base64: z.string() }),
}
