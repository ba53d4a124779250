/** What the page asks about transfers, and what it is told. */
import { z } from 'zod'
import { graphSchema } from '../schemas.ts'
import type { DataReport } from '../data.ts'
import type { ComparisonRow } from '../comparison.ts'
import { transferConfigSchema, type Promotion } from '../transfer.ts'
import type { Measures, StoredRun, TransferPoint } from './records.ts'
import type { Waiting } from './waiting.ts'

const id = z.string().min(1).max(64)
const one = z.strictObject({ id })

/** A candidate of a search, a known layer by name, or any graph. */
export const layerReferenceSchema = z.union([
  z.strictObject({ search: id, number: z.int().min(0) }),
  z.strictObject({ known: z.string().min(1).max(60) }),
  z.strictObject({ graph: graphSchema, label: z.string().max(120) }),
])
export type LayerReference = z.infer<typeof layerReferenceSchema>

/** Request name to the schema of its argument. */
export const TRANSFER_REQUESTS = {
  'transfers.list': z.strictObject({}),
  'transfers.get': one,
  /** What is in the data of a promotion, before it is made. */
  'transfers.check': z.strictObject({ config: transferConfigSchema }),
  /** How long a promotion will take, before it is made. */
  'transfers.predict': z.strictObject({ config: transferConfigSchema }),
  /** Queued at once; a layer that is promoted already under the same protocol gives that promotion. */
  'transfers.promote': z.strictObject({ layer: layerReferenceSchema, config: transferConfigSchema }),
  /** As if it had never been made: what only it asked for is gone, finished runs included. */
  'transfers.undo': one,
  /** Ends it for good; its finished runs are kept. */
  'transfers.cancel': one,
  'transfers.pause': one,
  /** Goes on with one that is paused, failed (its failed runs are tried again) or cancelled. */
  'transfers.resume': one,
  'transfers.picture': z.strictObject({
    run: z.string().regex(/^[0-9a-f]{32}-[0-9a-f]{32}-\d{1,16}$/),
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,80}\.png$/),
  }),
} as const

export type TransferReplies = {
  'transfers.list': TransferSummary[]
  'transfers.get': TransferDetail
  'transfers.check': DataReport
  'transfers.predict': TransferPrediction
  'transfers.promote': { readonly summary: TransferSummary; readonly existing: boolean }
  'transfers.undo': { readonly id: string }
  'transfers.cancel': TransferSummary
  'transfers.pause': TransferSummary
  'transfers.resume': TransferSummary
  /** The PNG file's bytes in base64. */
  'transfers.picture': { readonly base64: string }
}

export type TransferPrediction = {
  readonly seconds: { readonly low: number; readonly high: number }
  /** Whether from runs seen on this machine, and not from a rule of thumb. */
  readonly measured: boolean
}

export type TransferSummary = {
  readonly promotion: Promotion
  /** The promoted layer first, then the baselines. */
  readonly comparison: readonly ComparisonRow[]
  /** What real data comes to, by measure; empty for a task without a yardstick, and until a run has told. */
  readonly real: Measures
  readonly runs: Readonly<Record<StoredRun['state'], number>>
  /** Runs that were finished before it was made. */
  readonly reused: number
  /** 0..1 of all its steps. */
  readonly progress: number
  /** Until it ends, with what is in line before it; null when nothing of it is in line. */
  readonly eta: TransferPrediction | null
  /** null: something of it is under way or about to be, or it is not in line. */
  readonly waiting: Waiting | null
  /** What its runs were trained and measured on; absent until one has ended. */
  readonly data?: DataReport | undefined
}

export type TransferRunDetail = {
  readonly run: StoredRun
  readonly label: string
  readonly role: ComparisonRow['role']
  readonly curve: readonly TransferPoint[]
  /** Names of its pictures, by step: for `transfers.picture`. */
  readonly pictures: readonly string[]
}
export type TransferDetail = {
  readonly summary: TransferSummary
  /** In the order in which they are done. */
  readonly runs: readonly TransferRunDetail[]
}
