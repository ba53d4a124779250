import type { OpName } from './ops.ts'

/**
 * A normalization-activation layer as plain JSON: a list of nodes that point backwards.
 * Tensor indices: 0..3 are the inputs below, 4 + i is the output of `nodes[i]`; the last node is the layer's
 * output. Source: Liu et al. 2020, section 3.1 (four inputs, ten intermediate nodes).
 */
export type Graph = {
  readonly version: 1
  readonly nodes: readonly GraphNode[]
  /**
   * Whether a per-channel affine γ·y + β closes the layer (γ starts at 1, β at 0). Searched layers always
   * have it; BN-ReLU and its kin carry their affine inside (as v1 and v0), before the activation.
   */
  readonly affine: boolean
}

export type GraphNode = { readonly op: OpName; readonly inputs: readonly number[] }

/** The inputs, in index order: x, the constant 0, and trainable per-channel v0 (starts at 0), v1 (at 1). */
export const INPUTS = ['x', 'zero', 'v0', 'v1'] as const
export type InputName = (typeof INPUTS)[number]

/** Intermediate nodes of a searched layer. */
export const SEARCH_NODES = 10

/** Tensor index of the layer's output. */
export const outputIndex = (graph: Graph): number => INPUTS.length + graph.nodes.length - 1
