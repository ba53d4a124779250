/**
 * What comes back over the contract, checked where it arrives in the page: a schema for each reply and for the events.
 * Unknown keys are dropped, so that an older page can read a newer program.
 */
import { z } from 'zod'
import type { AppEvent, Replies, ReplyFrame, RequestName } from './contract.ts'
import { dataReportSchema } from './data.ts'
import { graphSchema, searchConfigSchema } from './schemas.ts'
import { TRANSFER_REPLIES } from './transfer/replies.ts'

const number = z.int().min(0)
const real = z.number()
const scores = z.array(real).nullable()
const status = z.enum(['queued', 'running', 'scored', 'rejected', 'duplicate', 'failed'])
const stage = z.enum(['static', 'quality', 'stability'])
const role = z.enum(['baseline', 'candidate'])
const architectureName = z.enum(['resnet', 'mobilenetv2', 'efficientnet'])

const searchSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  config: searchConfigSchema,
  state: z.enum(['running', 'paused', 'stopped', 'done', 'failed']),
  stage: z.enum(['baselines', 'search', 'rerank', 'finished']),
  failure: z.string().nullable(),
  seconds: real,
  made: z.record(z.string(), z.string()),
  data: dataReportSchema.nullish(),
})

const summarySchema = z.object({
  search: searchSchema,
  funnel: z.object({
    generated: number,
    duplicate: number,
    sameFunction: number,
    static: number,
    quality: number,
    stability: number,
    failed: number,
    scored: number,
    pending: number,
  }),
  best: z.object({ number, average: real, purpose: z.enum(['score', 'rerank']) }).nullable(),
  rival: z.object({ name: z.string(), number, average: real }).nullable(),
  seedSpread: real.nullable(),
  baselines: z.array(z.object({ name: z.string(), number, scores })),
  trend: z.array(z.object({ number, seconds: real, average: real })),
  progress: real.nullable(),
  eta: z.object({ low: real, high: real }).nullable(),
  requeued: number,
})

const nodeShape = {
  number,
  role,
  parent: number.nullable(),
  origin: z.string(),
  status,
  rejected: stage.nullable(),
  duplicateOf: number.nullable(),
  family: z.string().nullable(),
  known: z.string().nullable(),
  average: real.nullable(),
  scores,
  fingerprint: z.string(),
  alive: z.boolean(),
}
const nodeSchema = z.object(nodeShape)

const candidateSchema = z.object({
  number,
  role,
  graph: graphSchema,
  fingerprint: z.string(),
  origin: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('known'), name: z.string() }),
    z.object({ kind: z.literal('random') }),
    z.object({ kind: z.literal('imported'), note: z.string() }),
    z.object({ kind: z.literal('mutation'), parent: number, node: number, neutral: number.optional() }),
  ]),
  status,
  scores,
  rejection: z
    .object({
      stage,
      reason: z.string(),
      measured: real.nullable(),
      limit: real.nullable(),
      architecture: architectureName.nullable(),
      step: number.nullable(),
    })
    .nullable(),
  failure: z.object({ cause: z.string(), trace: z.string(), attempts: number }).nullable(),
  duplicateOf: number.nullable(),
  sameBy: z.enum(['formula', 'function']).nullable(),
  rerankScores: scores,
  seconds: real,
})

const evaluationSchema = z.object({
  architecture: z.object({ name: architectureName, width: real, depth: real }),
  purpose: z.enum(['score', 'rerank']),
  seed: number,
  steps: number,
  parameters: number,
  curve: z.array(z.object({ step: number, loss: real.nullable(), accuracy: real.nullable() })),
  accuracy: real.nullable(),
  gradientNorm: real.nullable(),
  seconds: real,
  made: z.record(z.string(), z.string()).optional(),
})

const workerSchema = z.object({
  worker: number,
  state: z.enum(['starting', 'idle', 'busy', 'dead']),
  search: z.string().nullable(),
  candidate: number.nullable(),
  progress: z
    .object({
      stage: z.enum(['prepare', 'quality', 'stability', 'train']),
      architecture: architectureName,
      step: number,
      steps: number,
      loss: real.nullable(),
    })
    .nullable(),
  transfer: z.object({ run: z.string(), step: number.nullable(), steps: number }).nullable(),
  seconds: real,
  residentBytes: real.nullable(),
  failures: number,
})

/** Request name to the schema of its reply. */
export const REPLIES: { readonly [N in RequestName]: z.ZodType<Replies[N]> } = {
  'app.info': z.object({
    version: z.string(),
    host: z.enum(['desktop', 'browser']),
    dataFolder: z.string(),
    seq: number,
    facts: z.array(z.object({ label: z.string(), value: z.string(), ok: z.boolean() })),
  }),
  'data.check': dataReportSchema,
  'searches.list': z.array(summarySchema),
  'searches.predict': z.object({
    seconds: z.object({ low: real, high: real }).nullable(),
    candidateSeconds: real,
    measured: z.boolean(),
  }),
  'searches.create': summarySchema,
  'searches.get': summarySchema,
  'searches.pause': summarySchema,
  'searches.resume': summarySchema,
  'searches.stop': summarySchema,
  'searches.insert': nodeSchema,
  'searches.lineage': z.array(nodeSchema),
  'candidates.list': z.object({
    rows: z.array(z.object({ ...nodeShape, formula: z.string(), nodes: number, seconds: real })),
    total: number,
  }),
  'candidates.get': z.object({
    candidate: candidateSchema,
    parent: candidateSchema.nullable(),
    evaluations: z.array(evaluationSchema),
    children: z.array(number),
  }),
  'workers.list': z.array(workerSchema),
  ...TRANSFER_REPLIES,
}

const stored = { seq: number, time: z.string() }

/** What a subscription delivers. */
export const eventFrameSchema: z.ZodType<{ events: AppEvent[] }> = z.object({
  events: z.array(
    z.discriminatedUnion('kind', [
      z.object({ ...stored, kind: z.literal('search'), search: z.string() }),
      z.object({ ...stored, kind: z.literal('candidate'), search: z.string(), node: nodeSchema }),
      z.object({ ...stored, kind: z.literal('transfer'), promotion: z.string() }),
      z.object({ kind: z.literal('workers'), workers: z.array(workerSchema) }),
    ]),
  ),
})

export const replyFrameSchema: z.ZodType<ReplyFrame> = z.discriminatedUnion('ok', [
  z.object({ id: number, ok: z.literal(true), value: z.unknown() }),
  z.object({
    id: number,
    ok: z.literal(false),
    code: z.enum(['invalid', 'missing', 'conflict', 'internal']),
    message: z.string(),
  }),
])
