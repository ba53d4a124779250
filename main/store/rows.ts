import type { LineageNode } from '../../shared/contract.ts'
import type {
  Candidate,
  CandidateRole,
  CandidateStatus,
  RejectionStage,
  SameBy,
  Search,
  SearchStage,
  SearchState,
} from '../../shared/records.ts'
import { integer, json, jsonOrNull, numberOrNull, text, textOrNull, type Row } from './database.ts'

export const searchOf = (row: Row): Search => ({
  id: text(row, 'id'),
  name: text(row, 'name'),
  createdAt: text(row, 'created_at'),
  config: json(row, 'config'),
  state: text(row, 'state') as SearchState,
  stage: text(row, 'stage') as SearchStage,
  failure: textOrNull(row, 'failure'),
  seconds: integer(row, 'seconds'),
  made: json(row, 'made'),
  // A store of an older version that can only be read has no such column.
  data: 'data' in row ? jsonOrNull(row, 'data') : null,
})

/** Columns of `candidates` that a lineage node is made of. */
export const NODE_COLUMNS =
  'number, role, parent, label, status, rejected, duplicate_of, family, known, average, scores, fingerprint, alive'

export const lineageNode = (row: Row): LineageNode => ({
  number: integer(row, 'number'),
  role: text(row, 'role') as CandidateRole,
  parent: numberOrNull(row, 'parent'),
  origin: text(row, 'label'),
  status: text(row, 'status') as CandidateStatus,
  rejected: textOrNull(row, 'rejected') as RejectionStage | null,
  duplicateOf: numberOrNull(row, 'duplicate_of'),
  family: textOrNull(row, 'family'),
  known: textOrNull(row, 'known'),
  average: numberOrNull(row, 'average'),
  scores: jsonOrNull(row, 'scores'),
  fingerprint: text(row, 'fingerprint'),
  alive: integer(row, 'alive') === 1,
})

/** From `candidates` joined with `layers`. */
export const candidateOf = (row: Row): Candidate => ({
  number: integer(row, 'number'),
  role: text(row, 'role') as CandidateRole,
  graph: json(row, 'graph'),
  fingerprint: text(row, 'fingerprint'),
  origin: json(row, 'origin'),
  status: text(row, 'status') as CandidateStatus,
  scores: jsonOrNull(row, 'scores'),
  rejection: jsonOrNull(row, 'rejection'),
  failure: jsonOrNull(row, 'failure'),
  duplicateOf: numberOrNull(row, 'duplicate_of'),
  sameBy: textOrNull(row, 'same_by') as SameBy | null,
  rerankScores: jsonOrNull(row, 'rerank_scores'),
  seconds: integer(row, 'seconds'),
})
