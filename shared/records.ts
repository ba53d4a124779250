/**
 * What is kept of a search: plain JSON, units in the names, no NaN or infinity (a candidate that blew up is a
 * kind of result, not a number).
 */
import type { DataReport, SplitChoice } from './data.ts'
import type { Graph } from './graph.ts'
import type { Space } from './ops.ts'

export type ArchitectureName = 'resnet' | 'mobilenetv2' | 'efficientnet'

/** One network to score on. `width` and `depth` multiply channels and blocks a stage. */
export type ArchitectureConfig = {
  readonly name: ArchitectureName
  readonly width: number
  readonly depth: number
}

/** Images `[height, width, 3]` of `classes` classes. `path` is a file or folder of the user's, absent for `shapes`. */
export type DataConfig = SplitChoice & {
  readonly kind: 'shapes' | 'cifar10' | 'folder'
  readonly path?: string | undefined
  /** Images held out of the training set as validation. */
  readonly validationImages: number
  /** At most so many training images are used; 0 means all. */
  readonly trainingImages: number
  /** Side of the square images; other sizes are resized (folders). */
  readonly imageSize: number
  /**
   * Measured on, in place of the validation images, are at most so many that no search sees: CIFAR-10's test batch, a
   * folder's test part, newly generated ones; 0 means all. Absent in searches.
   */
  readonly testImages?: number | undefined
}

export type TrainingConfig = {
  readonly steps: number
  readonly batchSize: number
  /** Peak of the cosine schedule. */
  readonly learningRate: number
  readonly warmupSteps: number
  readonly momentum: number
  readonly weightDecay: number
  readonly labelSmoothing: number
  readonly augment: boolean
  /** Groups of the `hwg` index set (GN: 32 in the paper). */
  readonly groups: number
}

export type RejectionConfig = {
  /** Below `minAccuracy` validation accuracy after `steps` steps on any architecture: rejected. */
  readonly quality: { readonly steps: number; readonly minAccuracy: number }
  /** A gradient norm above `maxGradientNorm` within `steps` adversarial steps: rejected. */
  readonly stability: {
    readonly steps: number
    readonly maxGradientNorm: number
    readonly learningRate: number
    readonly batchSize: number
  }
}

export type EvolutionConfig = {
  readonly mode: 'evolution' | 'random'
  /** Sliding window: only so many of the most recent members take part in tournaments. */
  readonly population: number
  /** Fraction of the population drawn for a tournament. */
  readonly tournament: number
  readonly winner: 'pareto' | 'average'
  /** How the first population is made; `seeded` starts from known layers and their mutations beside random ones. */
  readonly initial: 'random' | 'seeded'
  /** Size of the first population, before tournaments begin. */
  readonly initialSize: number
  /** Stops after so many trained candidates, or so many seconds of searching after the baselines; 0: no limit. */
  readonly maxTrained: number
  readonly maxSeconds: number
  /**
   * Candidates under evaluation at once. Part of the search's definition, not of the machine: proposals wait
   * for the oldest one, so that the history does not depend on timing or on the number of workers.
   */
  readonly inFlight: number
  /**
   * Results are taken in the order in which they come, and as many candidates are in flight as the workers need, in place
   * of `inFlight`: no worker waits for the slowest one. The order is recorded, so that the record still tells each proposal.
   */
  readonly asynchronous?: boolean | undefined
  /** At most so many members are alive that compute one function at the start of training; 0 or absent: no limit. */
  readonly mostAlike?: number | undefined
  /** After the search the best `count` are trained anew for `steps`; 0 leaves it out. */
  readonly rerank: { readonly count: number; readonly steps: number }
}

export type SearchConfig = {
  readonly preset: PresetName
  readonly seed: number
  readonly space: Space
  readonly data: DataConfig
  readonly architectures: readonly ArchitectureConfig[]
  readonly training: TrainingConfig
  readonly rejection: RejectionConfig
  readonly evolution: EvolutionConfig
  /** Known layers trained beside the search with the same protocol, by name (see known.ts). */
  readonly baselines: readonly string[]
}
export type PresetName = 'demo' | 'overnight' | 'paper'

export type SearchState = 'running' | 'paused' | 'stopped' | 'done' | 'failed'
export type SearchStage = 'baselines' | 'search' | 'rerank' | 'finished'

export type Search = {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly config: SearchConfig
  readonly state: SearchState
  readonly stage: SearchStage
  /** Why the search failed, one sentence. */
  readonly failure: string | null
  /** Seconds of running so far, pauses and crashes left out. */
  readonly seconds: number
  /** Program, engine and device versions at creation. */
  readonly made: Readonly<Record<string, string>>
  /** What its data held at creation; null or absent: generated, or made by an older version. */
  readonly data?: DataReport | null | undefined
}

export type Origin =
  | { readonly kind: 'known'; readonly name: string }
  | { readonly kind: 'random' }
  | { readonly kind: 'imported'; readonly note: string }
  | {
      readonly kind: 'mutation'
      readonly parent: number
      readonly node: number
      /** Mutations before this one that left the parent's function as it was; absent where there were none. */
      readonly neutral?: number | undefined
    }

export type RejectionStage = 'static' | 'quality' | 'stability'

/** Why a candidate was rejected: what was measured against which limit. */
export type Rejection = {
  readonly stage: RejectionStage
  readonly reason: string
  /** null where the value was not finite, or nothing is measured (a structural check). */
  readonly measured: number | null
  readonly limit: number | null
  readonly architecture: ArchitectureName | null
  readonly step: number | null
}

/** A worker that crashed, hung or ran out of memory on the candidate. */
export type Failure = { readonly cause: string; readonly trace: string; readonly attempts: number }

/**
 * queued: proposed, not yet under evaluation; running; scored: has a score on every architecture; rejected;
 * duplicate: the same function as an earlier candidate, whose result it takes; failed.
 */
export type CandidateStatus = 'queued' | 'running' | 'scored' | 'rejected' | 'duplicate' | 'failed'

/** formula: equal after simplification; function: equal outputs and derivatives on probe batches (shared/identity). */
export type SameBy = 'formula' | 'function'

/** Baselines are kept like candidates, apart from the population. */
export type CandidateRole = 'baseline' | 'candidate'

export type Candidate = {
  /** Ordinal within its search, from 0, in order of proposal. */
  readonly number: number
  readonly role: CandidateRole
  readonly graph: Graph
  readonly fingerprint: string
  readonly origin: Origin
  readonly status: CandidateStatus
  /** Validation accuracy (0..1) per architecture, in the config's order; null unless scored (or a duplicate of such). */
  readonly scores: readonly number[] | null
  readonly rejection: Rejection | null
  readonly failure: Failure | null
  /** Candidate whose result was taken over. */
  readonly duplicateOf: number | null
  /** How it is known that both are one function; null unless a duplicate (or one of an earlier version's search). */
  readonly sameBy: SameBy | null
  /** Validation accuracy per architecture after the longer training of the re-ranking. */
  readonly rerankScores: readonly number[] | null
  readonly seconds: number
}

/** One point of a learning curve. `accuracy` is on validation images, null where only the loss was taken. */
export type CurvePoint = {
  readonly step: number
  readonly loss: number | null
  readonly accuracy: number | null
}

/** Where and with what a result was computed: machine, processor, versions; label to value. */
export type Made = Readonly<Record<string, string>>

/** One training of a layer in one architecture. */
export type Evaluation = {
  readonly architecture: ArchitectureConfig
  readonly purpose: 'score' | 'rerank'
  readonly seed: number
  readonly steps: number
  readonly parameters: number
  readonly curve: readonly CurvePoint[]
  /** Final validation accuracy; null when the training was cut short. */
  readonly accuracy: number | null
  /** Largest gradient norm of the stability test, when it ran and stayed finite. */
  readonly gradientNorm: number | null
  readonly seconds: number
  /** Absent in results of older versions. */
  readonly made?: Made | undefined
}

/** What a worker is asked: everything it needs, nothing it must look up. */
export type EvaluationTask = {
  readonly purpose: 'score' | 'rerank'
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

/** What a worker answers. A rejection is a result; a crash is not (the pool turns it into a Failure). */
export type EvaluationResult = {
  readonly scores: readonly number[] | null
  readonly rejection: Rejection | null
  readonly evaluations: readonly Evaluation[]
  readonly seconds: number
}

/** Sent by a worker while it works. */
export type EvaluationProgress = {
  readonly stage: 'prepare' | 'quality' | 'stability' | 'train'
  readonly architecture: ArchitectureName
  readonly step: number
  readonly steps: number
  readonly loss: number | null
}
