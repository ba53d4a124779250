/** A layer from what a person typed, pasted or dropped: a formula, or a layer's JSON. */
import { parseFormula } from '../shared/formula.ts'
import { SEARCH_NODES, type Graph } from '../shared/graph.ts'
import { OPS, type Space } from '../shared/ops.ts'
import { parseGraph } from '../shared/rules.ts'

/** Larger files are no layer. */
export const MOST_BYTES = 100_000

export type ReadLayer = { readonly graph: Graph; readonly ops: number } | { readonly problem: string }

/** An exported layer may carry its graph among other things. */
const graphIn = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'graph' in value ? value.graph : value

/** `space`: the search's that it is to join; null: any legal layer will do. */
export const readLayer = (text: string, space: Space | null): ReadLayer => {
  try {
    const graph = text.trimStart().startsWith('{')
      ? parseGraph(graphIn(JSON.parse(text)), 'layer')
      : parseFormula(text)
    const problem = space === null ? null : unfit(graph, space)
    return problem === null ? { graph, ops: graph.nodes.length } : { problem }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Why a legal layer is no member of a search's space, or null. */
const unfit = (graph: Graph, space: Space): string | null => {
  if (graph.nodes.length > SEARCH_NODES)
    return `The layers of a search have at most ${SEARCH_NODES} ops, this one has ${graph.nodes.length}.`
  const foreign = graph.nodes.find((node) => space === 'S' && OPS[node.op].over === 'nhw')
  return foreign ? `Space S is independent of the batch, and has no ${foreign.op}.` : null
}
