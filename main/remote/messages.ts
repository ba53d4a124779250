/** What hosts and machines put into Redis for each other. Whoever takes something out checks it by these schemas. */
import { z } from 'zod'
import { dataReportSchema } from '../../shared/records/data.ts'
import type {
  Evaluation,
  EvaluationResult,
  EvaluationTask,
  Failure,
  Rejection,
} from '../../shared/records.ts'
import { graphSchema } from '../../shared/records/graph.ts'
import type { Of } from '../../shared/records/shapes.ts'
import { architectureSchema, searchConfigSchema } from '../../shared/records/search-config.ts'
import { workerSchema } from '../../shared/records/worker.ts'
import { transferConfigSchema, type TransferResult } from '../../shared/transfer.ts'
import { pointSchema } from '../../shared/transfer/records.ts'
import { blockSchema } from './chunks.ts'

const count = z.int().min(0)
const seconds = z.number().min(0)
const text = z.string().max(4000)
const id = z.string().min(1).max(200)
const purpose = z.enum(['score', 'rerank'])
/** A job's key, which is its name in BullMQ and in Redis. */
const key = z.string().regex(/^[a-zA-Z0-9-]{1,200}$/)
const made = z.record(z.string().max(100), z.string().max(400))
const fraction = z.number().min(0).max(1)

/** A task whose paths are fingerprints: `sha256:<32 digits>`. */
const { data, architectures, training, rejection } = searchConfigSchema.shape
const taskSchema = z.strictObject({
  purpose,
  graph: graphSchema,
  seed: count,
  data,
  architectures,
  training,
  rejection: rejection.nullable(),
}) satisfies z.ZodType<EvaluationTask>

export const jobSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('evaluate'), key, search: id, candidate: count, task: taskSchema }),
  z.strictObject({
    kind: z.literal('transfer'),
    key,
    run: z.string().regex(/^[0-9a-f]{32}-[0-9a-f]{32}-\d{1,16}$/),
    graph: graphSchema,
    config: transferConfigSchema,
    seed: count,
  }),
])
export type RemoteJob = Of<typeof jobSchema>

const architectureName = architectureSchema.shape.name
const rejectionSchema = z.strictObject({
  stage: z.enum(['static', 'quality', 'stability']),
  reason: text,
  measured: z.number().nullable(),
  limit: z.number().nullable(),
  architecture: architectureName.nullable(),
  step: count.nullable(),
}) satisfies z.ZodType<Rejection>

const evaluationSchema = z.strictObject({
  architecture: architectureSchema,
  purpose,
  seed: count,
  steps: count,
  parameters: count,
  curve: z
    .array(z.strictObject({ step: count, loss: z.number().nullable(), accuracy: fraction.nullable() }))
    .max(100_000),
  accuracy: fraction.nullable(),
  gradientNorm: z.number().nullable(),
  seconds,
}) satisfies z.ZodType<Evaluation>

const evaluationResultSchema = z.strictObject({
  scores: z.array(fraction).max(8).nullable(),
  rejection: rejectionSchema.nullable(),
  evaluations: z.array(evaluationSchema).max(8),
  seconds,
}) satisfies z.ZodType<EvaluationResult>

const transferResultSchema = z.strictObject({
  outcome: z.enum(['finished', 'diverged', 'collapsed']),
  step: count,
  reason: text.nullable(),
  measures: z.record(z.string().max(100), z.number()),
  curve: z.array(pointSchema).max(100_000),
  parameters: count,
  seconds,
  data: dataReportSchema.optional(),
}) satisfies z.ZodType<TransferResult>

const failureSchema = z.strictObject({
  cause: text,
  trace: z.string().max(20_000),
  attempts: count,
}) satisfies z.ZodType<Failure>

const outcomeOf = <R extends z.ZodType>(result: R) =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('result'), result }),
    z.strictObject({ kind: z.literal('failure'), failure: failureSchema }),
  ])

export const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('evaluate'), key, made, outcome: outcomeOf(evaluationResultSchema) }),
  z.strictObject({ kind: z.literal('transfer'), key, made, outcome: outcomeOf(transferResultSchema) }),
])
export type Answer = z.infer<typeof answerSchema>

/** What happens in a transfer before its end. */
export const newsSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('progress'),
    step: count,
    steps: count,
    point: pointSchema.nullable(),
    /** With its bytes, in base64. */
    picture: z
      .strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,80}\.png$/),
        base64: z.base64().max(6 * 2 ** 20),
      })
      .nullable(),
  }),
  z.strictObject({ kind: z.literal('state') }),
])
export type RemoteNews = z.infer<typeof newsSchema>

/** The newest state of a run, packed. */
export const stateSchema = z.strictObject({ step: count, block: blockSchema })
export type RunState = z.infer<typeof stateSchema>

const buildSchema = z.strictObject({
  version: z.string().max(40),
  digest: z.string().regex(/^[0-9a-f]{12}$/),
})
const fingerprint = z.string().regex(/^[0-9a-f]{32}$/)

/** A queue that a host puts work into, and what is needed for it. */
const needsSchema = z.strictObject({
  id: z.string().regex(/^(none|[0-9a-f]{16})$/),
  data: z
    .array(z.strictObject({ fingerprint, label: z.string().max(300), bytes: count, travels: z.boolean() }))
    .max(4),
})
export type Needs = z.infer<typeof needsSchema>

export const hostSchema = z.strictObject({
  name: id,
  build: buildSchema,
  needs: z.array(needsSchema).max(1000),
})
export type Host = z.infer<typeof hostSchema>

/** What a worker tells of itself is shown on pages elsewhere, so its texts are bounded. */
const toldWorkerSchema = workerSchema
  .omit({ machine: true })
  .extend({ search: id.nullable(), notes: z.array(z.string().max(500)).max(20) })
  .strict()

export const machineSchema = z.strictObject({
  name: id,
  build: buildSchema,
  device: z.string().max(200),
  processor: z.string().max(200),
  capacity: z.int().min(1).max(4096),
  draining: z.boolean(),
  /** Jobs done and failed since its start, and how many it did in the last ten minutes. */
  done: count,
  failed: count,
  recent: count,
  /** What it can't do, a sentence each. */
  lacks: z.array(z.string().max(500)).max(20),
  active: z.array(key).max(10_000),
  workers: z.array(toldWorkerSchema).max(4096),
})
export type Machine = Of<typeof machineSchema>

/** Said over the channels. What is missed is found by looking. */
export const wordSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['begun', 'answered', 'news', 'cancelled']), key }),
  z.strictObject({ kind: z.enum(['drained']), key: id }),
  z.strictObject({ kind: z.literal('wanted'), key: fingerprint }),
])
export type Word = z.infer<typeof wordSchema>

/** Longest text that is read as JSON at all. */
const LONGEST = 64 * 2 ** 20

/** null where it is nothing of the kind. */
export const readAs = <T>(schema: z.ZodType<T>, text: string | null): T | null => {
  if (text === null || text.length > LONGEST) return null
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
