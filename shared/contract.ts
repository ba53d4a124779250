/**
 * Every request and event between the page and the main process: types and validation in one place. Both doors
 * (the desktop window's line, the browser host's WebSocket) carry exactly these messages; both ends derive from `REQUESTS`.
 */
import { z } from 'zod'
import { candidateStatusSchema } from './records/candidate.ts'
import { dataConfigSchema } from './records/data.ts'
import type { EventFrame } from './records/event.ts'
import { whole } from './records/fields.ts'
import { graphSchema } from './records/graph.ts'
import { searchConfigSchema } from './records/search-config.ts'
import type { Of } from './records/shapes.ts'
import { TRANSFER_REQUESTS } from './transfer/contract.ts'

export type { AppEvent, EventFrame, PassingEvent, StoredEvent } from './records/event.ts'
export type { CandidateDetail, CandidatePage, CandidateRow, LineageNode } from './records/node.ts'
export type { Funnel, Prediction, SearchSummary } from './records/summary.ts'
export type { MachineStatus, WorkerStatus } from './records/worker.ts'
export type { AppInfo, Replies } from './replies.ts'

const id = z.string().min(1).max(64)
const bySearch = z.strictObject({ id })
const sortKeys = ['number', 'average', 'status', 'seconds', 'nodes'] as const

/** Request name to the schema of its argument. */
export const REQUESTS = {
  'app.info': z.strictObject({}),
  'data.check': z.strictObject({ data: dataConfigSchema }),
  'searches.list': z.strictObject({}),
  'searches.predict': z.strictObject({ config: searchConfigSchema }),
  'searches.create': z.strictObject({ name: z.string().max(120), config: searchConfigSchema }),
  'searches.get': bySearch,
  'searches.pause': bySearch,
  'searches.resume': bySearch,
  'searches.stop': bySearch,
  'searches.insert': z.strictObject({ id, graph: graphSchema, note: z.string().max(200) }),
  /** Candidates by number: those after `after`, at most `limit`; all of them where neither is given. */
  'searches.lineage': z.strictObject({
    id,
    after: z.int().min(-1).optional(),
    limit: z.int().min(1).max(5000).optional(),
  }),
  'candidates.list': z.strictObject({
    id,
    statuses: z.array(candidateStatusSchema).nullable(),
    text: z.string().max(200),
    sort: z.enum(sortKeys),
    descending: z.boolean(),
    offset: whole,
    limit: z.int().min(1).max(500),
  }),
  'candidates.get': z.strictObject({ id, number: whole }),
  'workers.list': z.strictObject({}),
  ...TRANSFER_REQUESTS,
} as const

export type RequestName = keyof typeof REQUESTS
export type Argument<N extends RequestName> = Of<(typeof REQUESTS)[N]>
/**
 * Frames of the wire, JSON texts, the same for both hosts. The browser host serves the page at `/?token=…`, which sets a
 * cookie, and to whoever has that cookie its WebSocket at `/socket`; the desktop window's preload offers `window.normforge`,
 * a line of the same frames (desktop.ts). A subscription is answered by the stored events after `since`, in order, then by
 * new ones as they come; a second one replaces it.
 */
export type Bridge = {
  request(frame: RequestFrame): Promise<ReplyFrame>
  /** Returns what ends the subscription. */
  subscribe(since: number, listener: (frame: EventFrame) => void): () => void
}
export type RequestFrame = { readonly id: number; readonly name: string; readonly argument: unknown }
export const replyFrameSchema = z.discriminatedUnion('ok', [
  z.object({ id: whole, ok: z.literal(true), value: z.unknown() }),
  z.object({
    id: whole,
    ok: z.literal(false),
    code: z.enum(['invalid', 'missing', 'conflict', 'internal']),
    message: z.string(),
  }),
])
export type ReplyFrame = Readonly<z.infer<typeof replyFrameSchema>>
export type ErrorCode = Extract<ReplyFrame, { ok: false }>['code']
export type SubscribeFrame = { readonly subscribe: { readonly since: number } }

/** An error with a code that crosses the wire: who, needed, got in the message. */
export class ContractError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
