/** What is kept of a transfer, and what the maths and the rest of the program say to each other: plain JSON. */
import { z } from 'zod'
import { failureSchema } from '../records/candidate.ts'
import { dataReportSchema } from '../records/data.ts'
import { real, reals, whole } from '../records/fields.ts'
import { graphSchema } from '../records/graph.ts'
import { recordKind } from '../records/record.ts'
import { asStored, type Of } from '../records/shapes.ts'

/** A measure of a task, as its catalog names it. */
export type Measure = {
  readonly label: string
  /** `fraction`: 0..1, shown in percent; `points`: as it is. */
  readonly unit: 'fraction' | 'points'
  readonly better: 'higher' | 'lower'
  readonly help: string
  /** What the same measure is of real data, by the name that results have it under: a yardstick, no competitor. */
  readonly real?: { readonly name: string; readonly help: string }
}

/** Measure name to value. One that can't be measured (no small objects, say) is absent. */
export type Measures = Of<typeof reals>

/** Means of the losses since the point before; `measures` where they were taken. All finite. */
export const pointSchema = z.object({ step: whole, losses: reals, measures: reals.nullable() })
export type TransferPoint = Of<typeof pointSchema>

export const outcomeSchema = z.object({
  /** diverged: a loss or weight was not finite; collapsed: the generator lost its variety for good. */
  outcome: z.enum(['finished', 'diverged', 'collapsed']),
  /** Steps done: all of them, or the one at which it ended. */
  step: whole,
  /** One sentence for what ended it early. */
  reason: z.string().nullable(),
  /** Those of the last measurement; where the run diverged, of the last one before. */
  measures: reals,
  parameters: whole,
  /** Seconds of work, over all the processes that had a part in it. */
  seconds: real,
  /** What it was trained and measured on; absent in results of older versions. */
  data: dataReportSchema.optional(),
})
/** How a run ended, without its curve. */
export type TransferOutcome = Of<typeof outcomeSchema>
export type TransferResult = TransferOutcome & { readonly curve: readonly TransferPoint[] }

/** Sent by a worker while it works. */
export type TransferProgress = {
  readonly step: number
  readonly steps: number
  readonly point: TransferPoint | null
  /** Name of a file in the run's folder that has just been written. */
  readonly picture: string | null
}

/** Where a promoted layer comes from. */
export const layerSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('candidate'), search: z.string(), number: whole }),
  z.object({ kind: z.literal('known'), name: z.string() }),
  z.object({ kind: z.literal('imported') }),
])
export type LayerSource = Of<typeof layerSourceSchema>

export const promotedLayerSchema = z.object({
  graph: asStored(graphSchema),
  fingerprint: z.string(),
  label: z.string(),
  from: layerSourceSchema,
})
export type PromotedLayer = Of<typeof promotedLayerSchema>

export const promotionStateSchema = z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled'])
export type PromotionState = z.infer<typeof promotionStateSchema>
export const runStateSchema = z.enum(['queued', 'running', 'done', 'failed'])
export type RunState = z.infer<typeof runStateSchema>

export const runSchema = z.object({
  /** `<protocol>-<fingerprint>-<seed>`: also the name of its folder. */
  key: z.string(),
  protocol: z.string(),
  fingerprint: z.string(),
  seed: whole,
  state: runStateSchema,
  step: whole,
  steps: whole,
  /** Without its curve, which is kept apart. */
  result: outcomeSchema.nullable(),
  failure: failureSchema.nullable(),
  /** Seconds of work so far; the result's when it is done. */
  seconds: real,
})
/** One layer with one seed under one protocol, whichever promotions ask for it. */
export type StoredRun = Of<typeof runSchema>

export const TRANSFER_POINT = recordKind('point of a curve', pointSchema)
export const TRANSFER_OUTCOME = recordKind('result', outcomeSchema)
export const PROMOTED_LAYER = recordKind('promoted layer', promotedLayerSchema)
