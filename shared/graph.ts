import type { Graph } from './records/graph.ts'

export type { Graph, GraphNode } from './records/graph.ts'

/** The inputs, in index order: x, the constant 0, and trainable per-channel v0 (starts at 0), v1 (at 1). */
export const INPUTS = ['x', 'zero', 'v0', 'v1'] as const
export type InputName = (typeof INPUTS)[number]

/** Intermediate nodes of a searched layer. */
export const SEARCH_NODES = 10

/** Tensor index of the layer's output. */
export const outputIndex = (graph: Graph): number => INPUTS.length + graph.nodes.length - 1
