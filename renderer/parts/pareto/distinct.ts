import type { LineageNode } from '../../../shared/contract.ts'
import type { ScorePoint } from '../../draw/scatter.ts'

/** Scored candidates, ascending by number, of equal layers the first only: copies would crowd a front. */
export const distinct = (nodes: readonly LineageNode[]): ScorePoint[] => {
  const seen = new Set<string>()
  return nodes.flatMap(({ number, role, scores, fingerprint }) => {
    if (role !== 'candidate' || !scores || seen.has(fingerprint)) return []
    seen.add(fingerprint)
    return [{ number, scores }]
  })
}
