import { INPUTS, outputIndex, type Graph, type GraphNode } from './graph.ts'
import { OPS } from './ops.ts'

/** Positions (in `nodes`) that the output depends on, ascending. */
export const liveNodes = (graph: Graph): number[] => {
  const live = new Set<number>()
  const pending = [outputIndex(graph)]
  while (pending.length > 0) {
    const tensor = pending.pop()!
    const node = tensor - INPUTS.length
    if (node < 0 || live.has(node)) continue
    live.add(node)
    pending.push(...graph.nodes[node]!.inputs)
  }
  return [...live].sort((a, b) => a - b)
}

/**
 * The same layer in one fixed form: dead nodes dropped, equal sub-expressions merged, operands of commutative
 * ops ordered by the text of what they compute, nodes numbered in depth-first order from the output. Layers
 * that differ only in these have the same canonical graph.
 */
export const canonical = (graph: Graph): Graph => {
  const text: string[] = [...INPUTS]
  for (const node of graph.nodes) text.push(expression(node, text))

  const nodes: GraphNode[] = []
  const placed = new Map<string, number>(INPUTS.map((name, i) => [name, i]))
  const place = (tensor: number): number => {
    const known = placed.get(text[tensor]!)
    if (known !== undefined) return known
    const node = graph.nodes[tensor - INPUTS.length]!
    const inputs = ordered(node, text).map(place)
    nodes.push({ op: node.op, inputs })
    const index = INPUTS.length + nodes.length - 1
    placed.set(text[tensor]!, index)
    return index
  }
  place(outputIndex(graph))
  return { version: 1, nodes, affine: graph.affine }
}

// Expression texts can grow exponentially with shared operands, so that long ones are replaced by their hash.
const expression = (node: GraphNode, text: readonly string[]): string => {
  const full = `${node.op}(${ordered(node, text)
    .map((input) => text[input])
    .join(',')})`
  return full.length > 96 ? `#${hash128(full)}` : full
}

const ordered = (node: GraphNode, text: readonly string[]): number[] => {
  const inputs = [...node.inputs]
  return OPS[node.op].commutative
    ? inputs.sort((a, b) => (text[a]! < text[b]! ? -1 : text[a]! > text[b]! ? 1 : 0))
    : inputs
}

/** 32 hexadecimal digits that equal layers share. A fixed hash of the canonical text. */
export const fingerprint = (graph: Graph): string => {
  const { nodes, affine } = canonical(graph)
  return hash128(
    `1|${affine ? 'affine' : 'plain'}|${nodes.map((n) => `${n.op}(${n.inputs.join(',')})`).join(';')}`,
  )
}

/** FNV-1a with 128 bits: fixed by its definition, the same on every machine and runtime. */
export const hash128 = (text: string): string => {
  let hash = 0x6c62272e07bb014262b821756295c58dn
  for (let i = 0; i < text.length; i++)
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x0000000001000000000000000000013bn) & MASK
  return hash.toString(16).padStart(32, '0')
}
const MASK = (1n << 128n) - 1n
