/** What a mutation changed, in words: positions are those of the ten slots that parent and child share. */
import { liveNodes } from '../shared/canonical.ts'
import { INPUTS, type Graph, type GraphNode } from '../shared/graph.ts'
import type { Candidate } from '../shared/records.ts'

export type Mutation = {
  /** Position in `nodes`. */
  readonly node: number
  readonly from: GraphNode
  readonly to: GraphNode
  /** Whether the child's output depends on it; a mutation elsewhere changes nothing. */
  readonly live: boolean
  /** Positions the output depends on in the child but not in the parent, and the other way round. */
  readonly gained: readonly number[]
  readonly lost: readonly number[]
}

/** null where the candidate is no mutation, or its parent is not known. */
export const mutationOf = (candidate: Candidate, parent: Candidate | null): Mutation | null => {
  const { origin, graph } = candidate
  if (origin.kind !== 'mutation' || !parent) return null
  const [from, to] = [parent.graph.nodes[origin.node], graph.nodes[origin.node]]
  if (!from || !to) return null
  const [before, after] = [liveNodes(parent.graph), liveNodes(graph)]
  return {
    node: origin.node,
    from,
    to,
    live: after.includes(origin.node),
    gained: after.filter((i) => !before.includes(i)),
    lost: before.filter((i) => !after.includes(i)),
  }
}

/** Whether parent and child are so alike that their nodes are best drawn at the same places. */
export const keepsShape = ({ gained, lost }: Mutation): boolean => gained.length + lost.length <= 4

/** "x", "v0", "0", or the node's ordinal from 1: "n3". */
export const tensorName = (tensor: number): string => {
  const input = INPUTS[tensor]
  return input === undefined ? nodeName(tensor - INPUTS.length) : input === 'zero' ? '0' : input
}
export const nodeName = (node: number): string => `n${node + 1}`

/** "mul(x, n3)". */
export const nodeText = ({ op, inputs }: GraphNode): string => `${op}(${inputs.map(tensorName).join(', ')})`

/** "mul(x, n3) → std_hw(n5)"; the op alone where that is what changed. */
export const mutationText = ({ from, to }: Pick<Mutation, 'from' | 'to'>, short = false): string =>
  short && from.op !== to.op ? `${from.op} → ${to.op}` : `${nodeText(from)} → ${nodeText(to)}`

/** Whether a graph's node is as it was in another one. */
export const sameNode = (a: Graph, b: Graph, node: number): boolean =>
  a.nodes[node]?.op === b.nodes[node]?.op &&
  (a.nodes[node]?.inputs ?? []).join() === (b.nodes[node]?.inputs ?? []).join()
