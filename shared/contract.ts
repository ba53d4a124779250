/**
 * Every request and event between the page and the main process: types and validation in one place. Both doors
 * (the desktop window's line, the browser host's WebSocket) carry exactly these messages; both ends derive from `REQUESTS`.
 */
import { z } from 'zod'
import type { DataReport } from './data.ts'
import { graphSchema, searchConfigSchema } from './schemas.ts'
import { TRANSFER_REQUESTS, type TransferReplies } from './transfer/contract.ts'
import type {
  Candidate,
  CandidateRole,
  CandidateStatus,
  Evaluation,
  EvaluationProgress,
  RejectionStage,
  Search,
} from './records.ts'

const id = z.string().min(1).max(64)
const number = z.int().min(0)
const bySearch = z.strictObject({ id })
const sortKeys = ['number', 'average', 'status', 'seconds', 'nodes'] as const

/** Request name to the schema of its argument. */
export const REQUESTS = {
  'app.info': z.strictObject({}),
  'data.check': z.strictObject({ data: searchConfigSchema.shape.data }),
  'searches.list': z.strictObject({}),
  'searches.predict': z.strictObject({ config: searchConfigSchema }),
  'searches.create': z.strictObject({ name: z.string().max(120), config: searchConfigSchema }),
  'searches.get': bySearch,
  'searches.pause': bySearch,
  'searches.resume': bySearch,
  'searches.stop': bySearch,
  'searches.insert': z.strictObject({ id, graph: graphSchema, note: z.string().max(200) }),
  'searches.lineage': bySearch,
  'candidates.list': z.strictObject({
    id,
    statuses: z.array(z.enum(['queued', 'running', 'scored', 'rejected', 'duplicate', 'failed'])).nullable(),
    text: z.string().max(200),
    sort: z.enum(sortKeys),
    descending: z.boolean(),
    offset: number,
    limit: z.int().min(1).max(500),
  }),
  'candidates.get': z.strictObject({ id, number }),
  'workers.list': z.strictObject({}),
  ...TRANSFER_REQUESTS,
} as const

export type RequestName = keyof typeof REQUESTS
export type Argument<N extends RequestName> = z.infer<(typeof REQUESTS)[N]>
export type Replies = TransferReplies & {
  'app.info': AppInfo
  'data.check': DataReport
  'searches.list': SearchSummary[]
  'searches.predict': Prediction
  'searches.create': SearchSummary
  'searches.get': SearchSummary
  'searches.pause': SearchSummary
  'searches.resume': SearchSummary
  'searches.stop': SearchSummary
  'searches.insert': LineageNode
  'searches.lineage': LineageNode[]
  'candidates.list': CandidatePage
  'candidates.get': CandidateDetail
  'workers.list': WorkerStatus[]
}

export type AppInfo = {
  readonly version: string
  readonly host: 'desktop' | 'browser'
  readonly dataFolder: string
  /** Sequence number of the newest stored event (0: none): where a page that loads everything afterwards subscribes. */
  readonly seq: number
  /** Doctor's findings: label and value, in order. */
  readonly facts: readonly { readonly label: string; readonly value: string; readonly ok: boolean }[]
}

/** What a search will cost, before it starts. */
export type Prediction = {
  /** Of the whole search; null where no limit ends it. */
  readonly seconds: { readonly low: number; readonly high: number } | null
  /** One worker's seconds for a candidate that is rejected by nothing. */
  readonly candidateSeconds: number
  /** Whether from trainings seen on this machine, and not from a rule of thumb. */
  readonly measured: boolean
}

/** How many candidates ended where; `generated` is the sum of the others but for `sameFunction`. Baselines are not counted. */
export type Funnel = {
  readonly generated: number
  readonly duplicate: number
  /** Duplicates that only their values told (`SameBy`); the other ones have the same formula. */
  readonly sameFunction: number
  readonly static: number
  readonly quality: number
  readonly stability: number
  readonly failed: number
  readonly scored: number
  readonly pending: number
}

export type SearchSummary = {
  readonly search: Search
  readonly funnel: Funnel
  /** The best layer that the search found, by its longest training; known layers are never found. */
  readonly best: {
    readonly number: number
    readonly average: number
    readonly purpose: Evaluation['purpose']
  } | null
  /** The best layer of the literature by a training of the same budget as `best`, among the baselines and the candidates. */
  readonly rival: { readonly name: string; readonly number: number; readonly average: number } | null
  /** Standard deviation of `average` between seeds at the budget of `best`, where verifications have measured it. */
  readonly seedSpread: number | null
  readonly baselines: readonly {
    readonly name: string
    readonly number: number
    readonly scores: readonly number[] | null
  }[]
  /** Best average score so far, a point where it rose: candidate number, seconds of running, score. */
  readonly trend: readonly { readonly number: number; readonly seconds: number; readonly average: number }[]
  /** 0..1 of the whole work, null where nothing is known yet. */
  readonly progress: number | null
  /** Range in seconds until the end, null until five candidates finished. */
  readonly eta: { readonly low: number; readonly high: number } | null
  /** Candidates put back in the queue when the program last resumed the search. */
  readonly requeued: number
}

/** A candidate as the lineage draws it: small, so that 10,000 fit in one message. */
export type LineageNode = {
  readonly number: number
  readonly role: CandidateRole
  readonly parent: number | null
  /** Known layer's name for origin `known`, else the origin's kind. */
  readonly origin: string
  readonly status: CandidateStatus
  readonly rejected: RejectionStage | null
  readonly duplicateOf: number | null
  /** What training starts with (shared/identity), shortened; equal for layers that start alike. null unless trained. */
  readonly family: string | null
  /** The layer of the literature that computes the same function. */
  readonly known: string | null
  /** Mean over architectures of `scores`. */
  readonly average: number | null
  readonly scores: readonly number[] | null
  readonly fingerprint: string
  /** Whether it is in the current population (the sliding window of the most recent). */
  readonly alive: boolean
}

export type CandidateRow = LineageNode & {
  readonly formula: string
  readonly nodes: number
  readonly seconds: number
}
export type CandidatePage = { readonly rows: readonly CandidateRow[]; readonly total: number }

export type CandidateDetail = {
  readonly candidate: Candidate
  readonly parent: Candidate | null
  readonly evaluations: readonly Evaluation[]
  readonly children: readonly number[]
}

export type WorkerStatus = {
  readonly worker: number
  readonly state: 'starting' | 'idle' | 'busy' | 'dead'
  readonly search: string | null
  readonly candidate: number | null
  readonly progress: EvaluationProgress | null
  /** The run of a transfer (its key) that it trains; `step` null until it has told one. */
  readonly transfer: { readonly run: string; readonly step: number | null; readonly steps: number } | null
  readonly seconds: number
  readonly residentBytes: number | null
  readonly failures: number
}

/** Kept in the store with a growing `seq`: the page resumes with `since`. */
export type StoredEvent = { readonly seq: number; readonly time: string } & (
  | { readonly kind: 'search'; readonly search: string }
  | { readonly kind: 'candidate'; readonly search: string; readonly node: LineageNode }
  /** A promotion was made, changed or undone: `transfers.get` says which. */
  | { readonly kind: 'transfer'; readonly promotion: string }
)
/** Passing news, not kept: what the workers do now. */
export type PassingEvent = { readonly kind: 'workers'; readonly workers: readonly WorkerStatus[] }
export type AppEvent = StoredEvent | PassingEvent

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
export type ReplyFrame =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode; readonly message: string }
export type SubscribeFrame = { readonly subscribe: { readonly since: number } }
export type EventFrame = { readonly events: readonly AppEvent[] }
export type ErrorCode = 'invalid' | 'missing' | 'conflict' | 'internal'

/** An error with a code that crosses the wire: who, needed, got in the message. */
export class ContractError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
