import type { Graph } from '../../shared/graph.ts'
import { hash32 } from '../../shared/random.ts'
import type { CandidateRole, EvaluationTask, SearchConfig } from '../../shared/records.ts'

/**
 * One seed for all scores of a search, so that every layer, baselines included, sees the same initial weights and
 * the same batches in the same order: differences between scores are then differences between layers, and equal
 * layers have equal scores whatever their numbers. What this one draw happens to favour is corrected by the
 * re-ranking, which has a seed of its own.
 */
const seedOf = (config: SearchConfig, purpose: EvaluationTask['purpose']): number =>
  hash32(`${purpose} ${config.seed}`)

/** The score of a candidate, or of a baseline: the same protocol, but a baseline is never rejected early. */
export const scoreTask = (config: SearchConfig, graph: Graph, role: CandidateRole): EvaluationTask => ({
  purpose: 'score',
  graph,
  seed: seedOf(config, 'score'),
  data: config.data,
  architectures: config.architectures,
  training: config.training,
  rejection: role === 'baseline' ? null : config.rejection,
})

/** Training anew, for longer, without early rejection. */
export const rerankTask = (config: SearchConfig, graph: Graph): EvaluationTask => ({
  purpose: 'rerank',
  graph,
  seed: seedOf(config, 'rerank'),
  data: config.data,
  architectures: config.architectures,
  training: { ...config.training, steps: config.evolution.rerank.steps },
  rejection: null,
})
