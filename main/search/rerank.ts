import { mean } from '../../shared/pareto.ts'
import { lineage } from '../store/reading.ts'
import type { Database } from '../store/database.ts'
import type { LineageNode } from '../../shared/contract.ts'

const better = (a: LineageNode, b: LineageNode): number =>
  mean(b.scores!) - mean(a.scores!) || a.number - b.number

/**
 * The best `count` distinct layers of a search by average score, and the best baseline beside them, so that the
 * longer training has something to be compared with. Of equal layers it is the one that was trained: a candidate
 * equal to a baseline stands for that baseline.
 */
export const rerankTargets = (nodes: readonly LineageNode[], count: number): number[] => {
  if (count === 0) return []
  const scored = nodes.filter(({ scores }) => scores !== null).sort(better)
  const trained = ({ number, duplicateOf }: LineageNode): number => duplicateOf ?? number
  const best = [...new Set(scored.filter(({ role }) => role === 'candidate').map(trained))].slice(0, count)
  const baseline = scored.find(({ role }) => role === 'baseline')
  return baseline && best.length > 0 ? [...new Set([...best, baseline.number])] : best
}

export const rerankTargetsOf = (db: Database, key: number, count: number): number[] =>
  rerankTargets(lineage(db, key), count)
