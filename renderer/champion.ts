/** How a layer came to be: its ancestors from the root, those that changed nothing that can be told folded away. */
import type { LineageNode } from '../shared/contract.ts'
import { noiseOf } from './standing.ts'

/** Standard deviation of a score over seeds, null where it was not measured. */
type Spread = number | null
export type ChampionStep = {
  readonly node: LineageNode
  /** Ancestors between the step before and this one whose scores differ from that one's by no more than noise. */
  readonly folded: readonly LineageNode[]
  /** Against the step before, as fractions: the difference, and how far two equal layers are apart by chance. */
  readonly change: { readonly lead: number; readonly noise: number } | null
}

/**
 * `path` runs from the root to the layer; `images` is the number of validation images. Root and layer are always steps; an
 * ancestor between is one where its score left that of the last step by more than noise, so that slow drift is seen, too.
 */
export const championSteps = (
  path: readonly LineageNode[],
  images: number,
  spread: Spread = null,
): ChampionStep[] => {
  const steps: ChampionStep[] = []
  let folded: LineageNode[] = []
  for (const [i, node] of path.entries()) {
    const before = steps.at(-1)?.node
    const change = before ? changeOf(before, node, images, spread) : null
    const told = change !== null && Math.abs(change.lead) > change.noise
    if (before && i < path.length - 1 && !told) folded.push(node)
    else {
      steps.push({ node, folded, change })
      folded = []
    }
  }
  return steps
}

/** Every ancestor a step. */
export const allSteps = (
  path: readonly LineageNode[],
  images: number,
  spread: Spread = null,
): ChampionStep[] =>
  path.map((node, i) => ({
    node,
    folded: [],
    change: i === 0 ? null : changeOf(path[i - 1]!, node, images, spread),
  }))

const changeOf = (
  from: LineageNode,
  to: LineageNode,
  images: number,
  spread: Spread,
): ChampionStep['change'] =>
  from.average === null || to.average === null
    ? null
    : { lead: to.average - from.average, noise: noiseOf(to.average, from.average, images, spread) }
