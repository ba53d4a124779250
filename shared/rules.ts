import { INPUTS, SEARCH_NODES, type Graph } from './graph.ts'
import { OPS, opsOf, type Space } from './ops.ts'
import { graphSchema } from './records/graph.ts'

/**
 * What makes a graph legal, as a list of checks. The same list runs after mutation, on load and before compile,
 * so that no later stage guesses again.
 */
type Rule = (graph: Graph) => string | null

const RULES: readonly Rule[] = [
  (graph) => (graph.nodes.length > 0 ? null : 'needs at least one node, has none'),
  (graph) => {
    for (const [i, node] of graph.nodes.entries()) {
      const op = OPS[node.op]
      if (node.inputs.length !== op.arity)
        return `node ${i} (${node.op}) takes ${op.arity} inputs, has ${node.inputs.length}`
    }
    return null
  },
  (graph) => {
    for (const [i, node] of graph.nodes.entries())
      for (const input of node.inputs)
        if (!Number.isInteger(input) || input < 0 || input >= INPUTS.length + i)
          return `node ${i} (${node.op}) needs inputs among the tensors 0..${INPUTS.length + i - 1} before it, has ${input}`
    return null
  },
]

/** The first broken rule in one sentence, or null. */
export const ruleBroken = (graph: Graph): string | null => {
  for (const rule of RULES) {
    const broken = rule(graph)
    if (broken !== null) return broken
  }
  return null
}

/** Throws unless the graph is legal. `who` opens the message. */
export const requireLegal = (graph: Graph, who: string): Graph => {
  const broken = ruleBroken(graph)
  if (broken !== null) throw new Error(`${who}: ${broken}`)
  return graph
}

/** Throws unless the graph is a member of the search space: ten nodes, the space's ops. */
export const requireSearchable = (graph: Graph, space: Space, who: string): Graph => {
  requireLegal(graph, who)
  if (graph.nodes.length !== SEARCH_NODES)
    throw new Error(`${who}: a searched layer has ${SEARCH_NODES} nodes, this one ${graph.nodes.length}`)
  const allowed = new Set(opsOf(space))
  const foreign = graph.nodes.find((node) => !allowed.has(node.op))
  if (foreign) throw new Error(`${who}: space ${space} has no op ${foreign.op}`)
  return graph
}

/** A graph from JSON text or a parsed value; says what is wrong and where. */
export const parseGraph = (json: unknown, who: string): Graph => {
  let value = json
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json)
    } catch (error) {
      // The message quotes the text, with its line breaks.
      const reason = (error as Error).message.replace(/[\s\p{C}]+/gu, ' ')
      throw new Error(`${who}: needs a layer as JSON, got text that is none (${reason})`, { cause: error })
    }
  }
  const parsed = graphSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new Error(`${who}: not a layer: ${issue.path.join('.') || 'value'}: ${issue.message}`)
  }
  return requireLegal(parsed.data, who)
}
