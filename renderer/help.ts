/** What a node of a drawn layer computes, in words. */
import { INPUTS, type Graph } from '../shared/graph.ts'
import { OPS } from '../shared/ops.ts'
import { OUTPUT, type GraphBox } from './draw/graph.ts'
import { nodeName, nodeText, sameNode } from './mutation.ts'

const INPUT_HELP = [
  'x: the input, batch × height × width × channels.',
  '0: the constant zero.',
  'v₀: a trainable vector, one value a channel, zero at the start.',
  'v₁: a trainable vector, one value a channel, one at the start.',
] as const

/** `before`: the parent's graph, where what it had instead is to be told. */
export const boxHelp = (
  graph: Graph,
  { tensor, op, live }: Pick<GraphBox, 'tensor' | 'op' | 'live'>,
  before: Graph | null = null,
): string => {
  if (tensor === OUTPUT)
    return graph.affine
      ? 'The output, closed by a trainable scale γ and shift β per channel.'
      : 'The output; the layer carries its own scale and shift.'
  if (op === null) return INPUT_HELP[tensor]!
  const i = tensor - INPUTS.length
  const old = before?.nodes[i]
  const { formula, help } = OPS[op]
  return [
    `${nodeName(i)} = ${nodeText(graph.nodes[i]!)}: ${formula}, ${help}.`,
    live ? '' : 'The output does not depend on it.',
    old && !sameNode(graph, before, i) ? `Was ${nodeText(old)}.` : '',
  ]
    .filter(Boolean)
    .join(' ')
}
