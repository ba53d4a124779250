/** Trainings of a layer: what a worker is asked, what it tells meanwhile and what it answers. */
import { z } from 'zod'
import { rejectedSchema, scoresSchema } from './candidate.ts'
import { real, whole } from './fields.ts'
import { madeSchema } from './made.ts'
import { recordKind } from './record.ts'
import {
  architectureNameSchema,
  architectureSchema,
  type ArchitectureConfig,
  type RejectionConfig,
  type TrainingConfig,
} from './search-config.ts'
import type { DataConfig } from './data.ts'
import type { Graph } from './graph.ts'
import { asStored, type Of } from './shapes.ts'

export const curvePointSchema = z.object({
  step: whole,
  loss: real.nullable(),
  /** On validation images, null where only the loss was taken. */
  accuracy: real.nullable(),
})
/** One point of a learning curve. */
export type CurvePoint = Of<typeof curvePointSchema>

export const purposeSchema = z.enum(['score', 'rerank'])

export const evaluationSchema = z.object({
  architecture: asStored(architectureSchema),
  purpose: purposeSchema,
  seed: whole,
  steps: whole,
  parameters: whole,
  curve: z.array(curvePointSchema),
  /** Final validation accuracy; null when the training was cut short. */
  accuracy: real.nullable(),
  /** Largest gradient norm of the stability test, when it ran and stayed finite. */
  gradientNorm: real.nullable(),
  seconds: real,
  /** Absent in results of older versions. */
  made: madeSchema.optional(),
})
/** One training of a layer in one architecture. */
export type Evaluation = Of<typeof evaluationSchema>

export const EVALUATION = recordKind('training', evaluationSchema)

/** What a worker is asked: everything it needs, nothing it must look up. */
export type EvaluationTask = {
  readonly purpose: Evaluation['purpose']
  readonly graph: Graph
  readonly seed: number
  readonly data: DataConfig
  readonly architectures: readonly ArchitectureConfig[]
  readonly training: TrainingConfig
  /** null: no early rejection (baselines, re-ranking). */
  readonly rejection: RejectionConfig | null
  /**
   * A file for the training's state, written every so many steps and after the last: the same task goes on from it. Only
   * for one architecture without rejection.
   */
  readonly keep?: { readonly file: string; readonly every: number } | undefined
}

export const evaluationResultSchema = z.object({
  scores: scoresSchema.nullable(),
  rejection: rejectedSchema.nullable(),
  evaluations: z.array(evaluationSchema),
  seconds: real,
})
/** What a worker answers. A rejection is a result; a crash is not (the pool turns it into a Failure). */
export type EvaluationResult = Of<typeof evaluationResultSchema>

export const evaluationProgressSchema = z.object({
  stage: z.enum(['prepare', 'quality', 'stability', 'train']),
  architecture: architectureNameSchema,
  step: whole,
  steps: whole,
  loss: real.nullable(),
})
/** Sent by a worker while it works. */
export type EvaluationProgress = Of<typeof evaluationProgressSchema>
