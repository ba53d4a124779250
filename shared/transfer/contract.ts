/** What the page asks about transfers. */
import { z } from 'zod'
import { whole } from '../records/fields.ts'
import { graphSchema } from '../records/graph.ts'
import type { Of } from '../records/shapes.ts'
import { transferConfigSchema } from '../transfer.ts'

export type { TransferDetail, TransferPrediction, TransferRunDetail, TransferSummary } from './replies.ts'

const id = z.string().min(1).max(64)
const one = z.strictObject({ id })

/** A candidate of a search, a known layer by name, or any graph. */
export const layerReferenceSchema = z.union([
  z.strictObject({ search: id, number: whole }),
  z.strictObject({ known: z.string().min(1).max(60) }),
  z.strictObject({ graph: graphSchema, label: z.string().max(120) }),
])
export type LayerReference = Of<typeof layerReferenceSchema>

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
