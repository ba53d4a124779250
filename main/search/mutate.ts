import { INPUTS, SEARCH_NODES, type Graph, type GraphNode } from '../../shared/graph.ts'
import { identify } from '../../shared/identity/identity.ts'
import { opsOf, OPS, type Space } from '../../shared/ops.ts'
import type { Random } from '../../shared/random.ts'

/** A random node at position `position`: op uniformly, then predecessors uniformly among the earlier tensors. */
const randomNode = (position: number, space: Space, random: Random): GraphNode => {
  const op = random.pick(opsOf(space))
  const inputs = Array.from({ length: OPS[op].arity }, () => random.below(INPUTS.length + position))
  return { op, inputs }
}

/** A random layer of ten nodes (Liu et al. 2020, section 3.1). */
export const randomLayer = (space: Space, random: Random): Graph => ({
  version: 1,
  nodes: Array.from({ length: SEARCH_NODES }, (_, i) => randomNode(i, space, random)),
  affine: true,
})

/**
 * Replaces one intermediate node, picked uniformly: its op uniformly, its predecessors anew (section 3.4). The
 * child is a member of the search space, so that it closes with γ and β even where a known parent does not.
 */
export const mutate = (graph: Graph, space: Space, random: Random): { graph: Graph; node: number } => {
  const node = random.below(graph.nodes.length)
  const nodes = graph.nodes.map((old, i) => (i === node ? randomNode(i, space, random) : old))
  return { graph: { version: 1, nodes, affine: true }, node }
}

/** After so many mutations in a row the child is taken as it is, whatever it computes. */
const MOST_NEUTRAL = 50

/**
 * Mutates until the layer computes another function than its parent. Most single mutations hit a node that the output
 * doesn't depend on. The paper trains such copies again and mutates them further when they win; here the neutral
 * mutations accumulate without a training in between, which is the same walk through the space. `neutral` counts them.
 */
export const mutateFunction = (
  parent: Graph,
  space: Space,
  random: Random,
): { graph: Graph; node: number; neutral: number } => {
  const before = identify({ ...parent, affine: true }).function
  let child = mutate(parent, space, random)
  let neutral = 0
  while (neutral < MOST_NEUTRAL && identify(child.graph).function === before) {
    child = mutate(child.graph, space, random)
    neutral++
  }
  return { ...child, neutral }
}

/**
 * The same layer with ten nodes, so that a known layer can be mutated like any other: random dead nodes go in
 * front, where a later mutation may bring them to life; the last node stays the output and the fingerprint stays
 * as it is. A layer of more than ten nodes can't enter the space.
 */
export const padToTen = (graph: Graph, space: Space, random: Random): Graph => {
  const missing = SEARCH_NODES - graph.nodes.length
  if (missing < 0)
    throw new Error(`pad: a searched layer has ${SEARCH_NODES} nodes, this one ${graph.nodes.length}`)
  const front = Array.from({ length: missing }, (_, i) => randomNode(i, space, random))
  const moved = graph.nodes.map(({ op, inputs }) => ({
    op,
    inputs: inputs.map((input) => (input < INPUTS.length ? input : input + missing)),
  }))
  return { version: 1, nodes: [...front, ...moved], affine: graph.affine }
}
