/**
 * The types of what is kept: plain JSON, units in the names, no NaN or infinity (a candidate that blew up is a kind of
 * result, not a number). Each follows from its schema in shared/records.
 */
export type { ArchitectureName, PresetName } from './catalog.ts'
export type { Made } from './records/made.ts'
export type { DataConfig } from './records/data.ts'
export type {
  ArchitectureConfig,
  EvolutionConfig,
  RejectionConfig,
  SearchConfig,
  TrainingConfig,
} from './records/search-config.ts'
export type { Search, SearchStage, SearchState } from './records/search.ts'
export type {
  Candidate,
  CandidateRole,
  CandidateStatus,
  Failure,
  Origin,
  Rejection,
  RejectionStage,
  SameBy,
} from './records/candidate.ts'
export type {
  CurvePoint,
  Evaluation,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
} from './records/evaluation.ts'
