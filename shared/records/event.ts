import { z } from 'zod'
import { whole } from './fields.ts'
import { nodeSchema } from './node.ts'
import type { Of } from './shapes.ts'
import { workerSchema } from './worker.ts'

const stored = { seq: whole, time: z.string() }

const storedEventSchema = z.discriminatedUnion('kind', [
  z.object({ ...stored, kind: z.literal('search'), search: z.string() }),
  z.object({ ...stored, kind: z.literal('candidate'), search: z.string(), node: nodeSchema }),
  /** A promotion was made, changed or undone: `transfers.get` says which. */
  z.object({ ...stored, kind: z.literal('transfer'), promotion: z.string() }),
])
/** Kept in the store with a growing `seq`: the page resumes with `since`. */
export type StoredEvent = Of<typeof storedEventSchema>

const passingEventSchema = z.object({ kind: z.literal('workers'), workers: z.array(workerSchema) })
/** Passing news, not kept: what the workers do now. */
export type PassingEvent = Of<typeof passingEventSchema>

/** What a subscription delivers. */
export const eventFrameSchema = z.object({
  events: z.array(z.discriminatedUnion('kind', [storedEventSchema, passingEventSchema])),
})
export type EventFrame = Of<typeof eventFrameSchema>
export type AppEvent = EventFrame['events'][number]
