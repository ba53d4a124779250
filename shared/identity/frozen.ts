import { INPUTS, type Graph } from '../graph.ts'
import { EPSILON } from '../ops.ts'
import { evaluateDual, type Cells, type Point } from './dual.ts'

const V0 = INPUTS.indexOf('v0')
const ZERO = INPUTS.indexOf('zero')

const exchanged = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) =>
    node.op === 'max' ? { ...node, inputs: [...node.inputs].reverse() } : node,
  ),
})

/**
 * The layer with 0 in the place of v0 where training never moves v0: at v0 = 0, where it starts, the output's derivative
 * with respect to it is 0 (as of |v0|, v0², √v0), whatever x and v1 are, so that its gradient stays 0 for good. `points`
 * have v0 = 0 and move along v0 alone. At ties of a maximum either operand may be given the gradient.
 */
export const withoutFrozen = (graph: Graph, points: readonly Point[], cells: Cells): Graph => {
  const moves = (layer: Graph): boolean =>
    points.some((point) => evaluateDual(layer, point, cells, EPSILON).tangent.some((slope) => slope !== 0))
  const used = graph.nodes.some(({ inputs }) => inputs.includes(V0))
  if (!used || moves(graph) || moves(exchanged(graph))) return graph
  const nodes = graph.nodes.map(({ op, inputs }) => ({
    op,
    inputs: inputs.map((input) => (input === V0 ? ZERO : input)),
  }))
  return { ...graph, nodes }
}
