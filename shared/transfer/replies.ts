/** What comes back about transfers, checked where it arrives in the page. */
import { z } from 'zod'
import { dataReportSchema } from '../data.ts'
import { graphSchema } from '../schemas.ts'
import { transferConfigSchema } from '../transfer.ts'
import type { TransferReplies, TransferSummary } from './contract.ts'

const number = z.int().min(0)
const real = z.number()
const reals = z.record(z.string(), real)

export const pointSchema = z.object({ step: number, losses: reals, measures: reals.nullable() })
const role = z.enum(['layer', 'baseline'])

const promotionSchema = z.object({
  id: z.string(),
  layer: z.object({
    graph: graphSchema,
    fingerprint: z.string(),
    label: z.string(),
    from: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('candidate'), search: z.string(), number }),
      z.object({ kind: z.literal('known'), name: z.string() }),
      z.object({ kind: z.literal('imported') }),
    ]),
  }),
  config: transferConfigSchema,
  protocol: z.string(),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
  failure: z.string().nullable(),
  createdAt: z.string(),
  made: z.record(z.string(), z.string()),
})

const predictionSchema = z.object({
  seconds: z.object({ low: real, high: real }),
  measured: z.boolean(),
})

const interval = z.object({ low: real, high: real }).nullable()

const rowSchema = z.object({
  fingerprint: z.string(),
  label: z.string(),
  role,
  runs: z.object({ finished: number, diverged: number, collapsed: number, failed: number, left: number }),
  measures: z.record(
    z.string(),
    z.object({
      mean: real,
      spread: real.nullable(),
      interval,
      values: z.array(real),
      seeds: z.array(number),
    }),
  ),
  against: z.record(
    z.string(),
    z.object({
      difference: real,
      interval,
      pairs: number,
      p: real.nullable(),
      corrected: real.nullable(),
      tried: number,
      verdict: z.enum(['better', 'worse', 'noise', 'open']),
    }),
  ),
})

const summarySchema: z.ZodType<TransferSummary> = z.object({
  promotion: promotionSchema,
  comparison: z.array(rowSchema),
  real: reals,
  runs: z.object({ queued: number, running: number, done: number, failed: number }),
  reused: number,
  progress: real,
  eta: predictionSchema.nullable(),
  waiting: z
    .discriminatedUnion('for', [
      z.object({ for: z.literal('search'), name: z.string() }),
      z.object({ for: z.literal('line'), place: number }),
    ])
    .nullable(),
  data: dataReportSchema.optional(),
})

const runSchema = z.object({
  key: z.string(),
  protocol: z.string(),
  fingerprint: z.string(),
  seed: number,
  state: z.enum(['queued', 'running', 'done', 'failed']),
  step: number,
  steps: number,
  result: z
    .object({
      outcome: z.enum(['finished', 'diverged', 'collapsed']),
      step: number,
      reason: z.string().nullable(),
      measures: reals,
      parameters: number,
      seconds: real,
      data: dataReportSchema.optional(),
    })
    .nullable(),
  failure: z.object({ cause: z.string(), trace: z.string(), attempts: number }).nullable(),
  seconds: real,
})

/** Request name to the schema of its reply. */
export const TRANSFER_REPLIES: { readonly [N in keyof TransferReplies]: z.ZodType<TransferReplies[N]> } = {
  'transfers.list': z.array(summarySchema),
  'transfers.get': z.object({
    summary: summarySchema,
    runs: z.array(
      z.object({
        run: runSchema,
        label: z.string(),
        role,
        curve: z.array(pointSchema),
        pictures: z.array(z.string()),
      }),
    ),
  }),
  'transfers.check': dataReportSchema,
  'transfers.predict': predictionSchema,
  'transfers.promote': z.object({ summary: summarySchema, existing: z.boolean() }),
  'transfers.undo': z.object({ id: z.string() }),
  'transfers.cancel': summarySchema,
  'transfers.pause': summarySchema,
  'transfers.resume': summarySchema,
  'transfers.picture': z.object({ base64: z.string() }),
}
