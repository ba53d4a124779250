import { z } from 'zod'
import { real, whole } from './fields.ts'
import { graphSchema } from './graph.ts'
import { recordKind } from './record.ts'
import { architectureNameSchema } from './search-config.ts'
import { asStored, type Of } from './shapes.ts'

export const originSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('known'), name: z.string() }),
  z.object({ kind: z.literal('random') }),
  z.object({ kind: z.literal('imported'), note: z.string() }),
  z.object({
    kind: z.literal('mutation'),
    parent: whole,
    node: whole,
    /** Mutations before this one that left the parent's function as it was; absent where there were none. */
    neutral: whole.optional(),
  }),
])
export type Origin = Of<typeof originSchema>

export const rejectionStageSchema = z.enum(['static', 'quality', 'stability'])
export type RejectionStage = z.infer<typeof rejectionStageSchema>

export const rejectedSchema = z.object({
  stage: rejectionStageSchema,
  reason: z.string(),
  /** null where the value was not finite, or nothing is measured (a structural check). */
  measured: real.nullable(),
  limit: real.nullable(),
  architecture: architectureNameSchema.nullable(),
  step: whole.nullable(),
})
/** Why a candidate was rejected: what was measured against which limit. */
export type Rejection = Of<typeof rejectedSchema>

export const failureSchema = z.object({ cause: z.string(), trace: z.string(), attempts: whole })
/** A worker that crashed, hung or ran out of memory on the candidate. */
export type Failure = Of<typeof failureSchema>

/**
 * queued: proposed, not yet under evaluation; running; scored: has a score on every architecture; rejected;
 * duplicate: the same function as an earlier candidate, whose result it takes; failed.
 */
export const candidateStatusSchema = z.enum([
  'queued',
  'running',
  'scored',
  'rejected',
  'duplicate',
  'failed',
])
export type CandidateStatus = z.infer<typeof candidateStatusSchema>

/** formula: equal after simplification; function: equal outputs and derivatives on probe batches (shared/identity). */
export const sameBySchema = z.enum(['formula', 'function'])
export type SameBy = z.infer<typeof sameBySchema>

/** Baselines are kept like candidates, apart from the population. */
export const candidateRoleSchema = z.enum(['baseline', 'candidate'])
export type CandidateRole = z.infer<typeof candidateRoleSchema>

/** Validation accuracy (0..1) per architecture, in the config's order. */
export const scoresSchema = z.array(real)

export const candidateSchema = z.object({
  /** Ordinal within its search, from 0, in order of proposal. */
  number: whole,
  role: candidateRoleSchema,
  graph: asStored(graphSchema),
  fingerprint: z.string(),
  origin: originSchema,
  status: candidateStatusSchema,
  /** null unless scored (or a duplicate of such). */
  scores: scoresSchema.nullable(),
  rejection: rejectedSchema.nullable(),
  failure: failureSchema.nullable(),
  /** Candidate whose result was taken over. */
  duplicateOf: whole.nullable(),
  /** How it is known that both are one function; null unless a duplicate (or one of an earlier version's search). */
  sameBy: sameBySchema.nullable(),
  /** After the longer training of the re-ranking. */
  rerankScores: scoresSchema.nullable(),
  seconds: real,
})
export type Candidate = Of<typeof candidateSchema>

export const ORIGIN = recordKind('origin', originSchema)
export const REJECTION = recordKind('rejection', rejectedSchema)
export const FAILURE = recordKind('failure', failureSchema)
export const SCORES = recordKind('scores', scoresSchema, { envelope: true })
