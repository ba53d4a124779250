/** What is kept of a transfer, and what the maths and the rest of the program say to each other: plain JSON. */
import type { DataReport } from '../data.ts'
import type { Graph } from '../graph.ts'
import type { Failure, PresetName } from '../records.ts'

export type TransferTaskName = 'segmentation' | 'synthesis' | 'verification'

/** What every task's config has beside its own numbers. */
export type Comparable = {
  readonly preset: PresetName
  readonly training: { readonly steps: number }
  /** Steps between measurements, and between checkpoints; the last step has both. */
  readonly evaluateEvery: number
  readonly checkpointEvery: number
  /** Each layer is trained with the seeds `seed`, `seed + 1`, … : `seeds` of them. */
  readonly seed: number
  readonly seeds: number
  /** Known layers trained beside the promoted one with the same budget and seeds, by name (see known.ts). */
  readonly baselines: readonly string[]
}

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
export type Measures = Readonly<Record<string, number>>

/** Means of the losses since the point before; `measures` where they were taken. All finite. */
export type TransferPoint = {
  readonly step: number
  readonly losses: Readonly<Record<string, number>>
  readonly measures: Measures | null
}

export type TransferResult = {
  /** diverged: a loss or weight was not finite; collapsed: the generator lost its variety for good. */
  readonly outcome: 'finished' | 'diverged' | 'collapsed'
  /** Steps done: all of them, or the one at which it ended. */
  readonly step: number
  /** One sentence for what ended it early. */
  readonly reason: string | null
  /** Of the last measurement; of a run that diverged, of the last one before. */
  readonly measures: Measures
  readonly curve: readonly TransferPoint[]
  readonly parameters: number
  /** Of work, over all the processes that had a part in it. */
  readonly seconds: number
  /** What it was trained and measured on; absent in results of older versions. */
  readonly data?: DataReport | undefined
}

export type TransferOutcome = Omit<TransferResult, 'curve'>

/** Sent by a worker while it works. */
export type TransferProgress = {
  readonly step: number
  readonly steps: number
  readonly point: TransferPoint | null
  /** Name of a file in the run's folder that has just been written. */
  readonly picture: string | null
}

/** Where a promoted layer comes from. */
export type LayerSource =
  | { readonly kind: 'candidate'; readonly search: string; readonly number: number }
  | { readonly kind: 'known'; readonly name: string }
  | { readonly kind: 'imported' }

export type PromotedLayer = {
  readonly graph: Graph
  readonly fingerprint: string
  readonly label: string
  readonly from: LayerSource
}

export type PromotionState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
export type RunState = 'queued' | 'running' | 'done' | 'failed'

/** One layer with one seed under one protocol, whichever promotions ask for it. */
export type StoredRun = {
  /** `<protocol>-<fingerprint>-<seed>`: also the name of its folder. */
  readonly key: string
  readonly protocol: string
  readonly fingerprint: string
  readonly seed: number
  readonly state: RunState
  readonly step: number
  readonly steps: number
  /** Without its curve, which is kept apart. */
  readonly result: TransferOutcome | null
  readonly failure: Failure | null
  /** Of work so far; the result's when it is done. */
  readonly seconds: number
}
