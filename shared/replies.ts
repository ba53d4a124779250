/**
 * What comes back over the contract, checked where it arrives in the page: a schema for each reply, made of the records'.
 * Unknown keys are dropped, so that an older page can read a newer program.
 */
import { z } from 'zod'
import type { RequestName } from './contract.ts'
import { dataReportSchema } from './records/data.ts'
import { whole } from './records/fields.ts'
import { candidateDetailSchema, candidatePageSchema, nodeSchema } from './records/node.ts'
import type { Of } from './records/shapes.ts'
import { predictionSchema, summarySchema } from './records/summary.ts'
import { listOf } from './records/unreadable.ts'
import { workerSchema } from './records/worker.ts'
import { TRANSFER_REPLIES } from './transfer/replies.ts'

const infoSchema = z.object({
  version: z.string(),
  host: z.enum(['desktop', 'browser']),
  dataFolder: z.string(),
  /** Sequence number of the newest stored event (0: none): where a page that loads everything afterwards subscribes. */
  seq: whole,
  /** Doctor's findings: label and value, in order. */
  facts: z.array(z.object({ label: z.string(), value: z.string(), ok: z.boolean() })),
})
export type AppInfo = Of<typeof infoSchema>

const SCHEMAS = {
  'app.info': infoSchema,
  'data.check': dataReportSchema,
  'searches.list': listOf(summarySchema, { id: ['search', 'id'], name: ['search', 'name'] }),
  'searches.predict': predictionSchema,
  'searches.create': summarySchema,
  'searches.get': summarySchema,
  'searches.pause': summarySchema,
  'searches.resume': summarySchema,
  'searches.stop': summarySchema,
  'searches.insert': nodeSchema,
  'searches.lineage': z.array(nodeSchema),
  'candidates.list': candidatePageSchema,
  'candidates.get': candidateDetailSchema,
  'workers.list': z.array(workerSchema),
  ...TRANSFER_REPLIES,
} satisfies Readonly<Record<RequestName, z.ZodType>>

export type Replies = { readonly [N in RequestName]: Of<(typeof SCHEMAS)[N]> }
/** Request name to the schema of its reply. */
export const REPLIES: { readonly [N in RequestName]: z.ZodType<Replies[N]> } = SCHEMAS
