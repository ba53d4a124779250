import { mean } from '../../shared/pareto.ts'
import { lineage } from '../store/reading.ts'
import type { Database } from '../store/database.ts'
import type { LineageNode } from '../../shared/contract.ts'

const better = (a: LineageNode, b: LineageNode): number =>
  mean(b.scores!) - mean(a.scores!) || a.number - b.number

/**
 * The best `count` distinct layers that a search found, by average score, and the best known layer (a baseline, or one
 * that the search was given) beside them, so that the longer training has something to be compared with. Of equal
 * layers it is the one that was trained.
 */
export const rerankTargets = (nodes: readonly LineageNode[], count: number): number[] => {
  if (count === 0) return []
  const scored = nodes.filter(({ scores }) => scores !== null).sort(better)
  const trained = ({ number, duplicateOf }: LineageNode): number => duplicateOf ?? number
  const fromLiterature = new Set(
    nodes.filter(({ role, known }) => role === 'baseline' || known !== null).map(trained),
  )
  const isKnown = (node: LineageNode): boolean => fromLiterature.has(trained(node))
  const best = [...new Set(scored.filter((node) => !isKnown(node)).map(trained))].slice(0, count)
  const rival = scored.find(isKnown)
  return rival && best.length > 0 ? [...best, trained(rival)] : best
}

export const rerankTargetsOf = (db: Database, key: number, count: number): number[] =>
  rerankTargets(lineage(db, key), count)
