import type { LineageNode } from '../../shared/contract.ts'
import {
  candidateRoleSchema,
  candidateStatusSchema,
  FAILURE,
  ORIGIN,
  REJECTION,
  rejectionStageSchema,
  sameBySchema,
  SCORES,
  type Candidate,
} from '../../shared/records/candidate.ts'
import { DATA_REPORT } from '../../shared/records/data.ts'
import { GRAPH } from '../../shared/records/graph.ts'
import { UnreadableError } from '../../shared/records/record.ts'
import { SEARCH_CONFIG } from '../../shared/records/search-config.ts'
import { MADE } from '../../shared/records/made.ts'
import { searchStageSchema, searchStateSchema, type Search } from '../../shared/records/search.ts'
import {
  numberOf,
  numberOrNull,
  recordOf,
  recordOrNull,
  text,
  textOrNull,
  wordOf,
  wordOrNull,
  type Row,
} from './database.ts'

export const searchOf = (row: Row): Search => ({
  id: text(row, 'id'),
  name: text(row, 'name'),
  createdAt: text(row, 'created_at'),
  config: recordOf(row, 'config', SEARCH_CONFIG),
  state: wordOf(row, 'state', searchStateSchema),
  stage: wordOf(row, 'stage', searchStageSchema),
  failure: textOrNull(row, 'failure'),
  seconds: numberOf(row, 'seconds'),
  made: recordOf(row, 'made', MADE),
  // A store of an older version that can only be read has no such column.
  data: 'data' in row ? recordOrNull(row, 'data', DATA_REPORT) : null,
})

/** Columns of `candidates` that a lineage node is made of. */
export const NODE_COLUMNS =
  'number, role, parent, label, status, rejected, duplicate_of, family, known, average, scores, fingerprint, alive'

export const lineageNode = (row: Row): LineageNode => ({
  number: numberOf(row, 'number'),
  role: wordOf(row, 'role', candidateRoleSchema),
  parent: numberOrNull(row, 'parent'),
  origin: text(row, 'label'),
  status: wordOf(row, 'status', candidateStatusSchema),
  rejected: wordOrNull(row, 'rejected', rejectionStageSchema),
  duplicateOf: numberOrNull(row, 'duplicate_of'),
  family: textOrNull(row, 'family'),
  known: textOrNull(row, 'known'),
  average: numberOrNull(row, 'average'),
  scores: scoresOf(row),
  fingerprint: text(row, 'fingerprint'),
  alive: numberOf(row, 'alive') === 1,
})

/** null, too, where they can't be read: one candidate's never take the lineage down; its own page says why. */
const scoresOf = (row: Row): LineageNode['scores'] => {
  try {
    return recordOrNull(row, 'scores', SCORES)
  } catch (error) {
    if (error instanceof UnreadableError) return null
    throw error
  }
}

/** From `candidates` joined with `layers`. */
export const candidateOf = (row: Row): Candidate => ({
  number: numberOf(row, 'number'),
  role: wordOf(row, 'role', candidateRoleSchema),
  graph: recordOf(row, 'graph', GRAPH),
  fingerprint: text(row, 'fingerprint'),
  origin: recordOf(row, 'origin', ORIGIN),
  status: wordOf(row, 'status', candidateStatusSchema),
  scores: recordOrNull(row, 'scores', SCORES),
  rejection: recordOrNull(row, 'rejection', REJECTION),
  failure: recordOrNull(row, 'failure', FAILURE),
  duplicateOf: numberOrNull(row, 'duplicate_of'),
  sameBy: wordOrNull(row, 'same_by', sameBySchema),
  rerankScores: recordOrNull(row, 'rerank_scores', SCORES),
  seconds: numberOf(row, 'seconds'),
})
