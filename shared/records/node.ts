/** Candidates as lists and the lineage show them. */
import { z } from 'zod'
import {
  candidateRoleSchema,
  candidateSchema,
  candidateStatusSchema,
  rejectionStageSchema,
  scoresSchema,
} from './candidate.ts'
import { evaluationSchema } from './evaluation.ts'
import { real, whole } from './fields.ts'
import type { Of } from './shapes.ts'

export const nodeSchema = z.object({
  number: whole,
  role: candidateRoleSchema,
  parent: whole.nullable(),
  /** Known layer's name for origin `known`, else the origin's kind. */
  origin: z.string(),
  status: candidateStatusSchema,
  rejected: rejectionStageSchema.nullable(),
  duplicateOf: whole.nullable(),
  /** What training starts with (shared/identity), shortened; equal for layers that start alike. null unless trained. */
  family: z.string().nullable(),
  /** The layer of the literature that computes the same function. */
  known: z.string().nullable(),
  /** Mean over architectures of `scores`. */
  average: real.nullable(),
  scores: scoresSchema.nullable(),
  fingerprint: z.string(),
  /** Whether it is in the current population (the sliding window of the most recent). */
  alive: z.boolean(),
})
/** A candidate as the lineage draws it: small, so that 10,000 fit in one message. */
export type LineageNode = Of<typeof nodeSchema>

export const candidateRowSchema = nodeSchema.extend({ formula: z.string(), nodes: whole, seconds: real })
export type CandidateRow = Of<typeof candidateRowSchema>

export const candidatePageSchema = z.object({ rows: z.array(candidateRowSchema), total: whole })
export type CandidatePage = Of<typeof candidatePageSchema>

export const candidateDetailSchema = z.object({
  candidate: candidateSchema,
  parent: candidateSchema.nullable(),
  evaluations: z.array(evaluationSchema),
  children: z.array(whole),
})
export type CandidateDetail = Of<typeof candidateDetailSchema>
