import { z } from 'zod'
import { OP_NAMES } from '../ops.ts'
import { count } from './fields.ts'
import { recordKind } from './record.ts'
import type { Of } from './shapes.ts'

export const graphSchema = z.strictObject({
  version: z.literal(1),
  nodes: z
    .array(z.strictObject({ op: z.enum(OP_NAMES), inputs: z.array(count).min(1).max(2) }))
    .min(1)
    .max(64),
  /**
   * Whether a per-channel affine γ·y + β closes the layer (γ starts at 1, β at 0). Searched layers always
   * have it; BN-ReLU and its kin carry their affine inside (as v1 and v0), before the activation.
   */
  affine: z.boolean(),
})
/**
 * A normalization-activation layer as plain JSON: a list of nodes that point backwards.
 * Tensor indices: 0..3 are the inputs (see shared/graph.ts), 4 + i is the output of `nodes[i]`; the last node is the
 * layer's output. Source: Liu et al. 2020, section 3.1 (four inputs, ten intermediate nodes).
 */
export type Graph = Of<typeof graphSchema>
export type GraphNode = Graph['nodes'][number]

export const GRAPH = recordKind('layer', graphSchema)
