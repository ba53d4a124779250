import type { Out } from '../known.ts'
import type { GraphOp } from '../proto.ts'

/** What a rule may ask of the graph before the op that it looks at. */
export type Graph = {
  /** Shape and type of what a reference (`name` or `name:k`) gives; undefined where no one told. */
  readonly out: (reference: string) => Out | undefined
  /** The op that gives it. */
  readonly maker: (reference: string) => GraphOp | undefined
}

/**
 * One simplification. For an op it gives null (nothing to do), the reference or name of what gives the same already, or
 * ops in its place: the last has its name, those before it are constants that this one needs.
 */
export type Rule = (op: GraphOp, graph: Graph) => string | readonly GraphOp[] | null

/** The op of a reference. */
export const producer = (reference: string): string => reference.replace(/^\^/, '').replace(/:\d+$/, '')

export const isOrdered = ({ inputs }: GraphOp): boolean => inputs.some((input) => input.startsWith('^'))

/**
 * Goes once through ops, of which each comes after its operands, and simplifies each by all rules until none applies.
 * What is `kept` (fetched and fed by its name) stays, and so do ops that have to run after others or whose result is not
 * among `outs`.
 */
export const rewritten = (
  ops: readonly GraphOp[],
  outs: ReadonlyMap<string, Out>,
  rules: readonly Rule[],
  kept: ReadonlySet<string>,
): GraphOp[] => {
  const made = new Map<string, GraphOp>()
  /** What gives the same as ops that are gone. */
  const instead = new Map<string, string>()
  const graph: Graph = {
    out: (reference) => outs.get(reference) ?? constantOf(graph.maker(reference)),
    maker: (reference) => made.get(producer(reference)),
  }
  const resolved = (input: string): string => {
    const name = producer(input)
    const other = instead.get(name)
    if (other === undefined) return input
    return input.startsWith('^') ? `^${producer(other)}` : other + input.slice(name.length)
  }
  const simplified = (op: GraphOp): GraphOp | null => {
    for (const rule of rules) {
      const result = rule(op, graph)
      if (result === null) continue
      if (typeof result === 'string') {
        instead.set(op.name, result)
        return null
      }
      result.slice(0, -1).forEach(take)
      return simplified(withInputs(result.at(-1)!))
    }
    return op
  }
  const withInputs = (op: GraphOp): GraphOp => ({ ...op, inputs: op.inputs.map(resolved) })
  const take = (given: GraphOp): void => {
    const op = withInputs(given)
    const stays = kept.has(op.name) || isOrdered(op) || !(op.op === 'Const' || outs.has(op.name))
    const result = stays ? op : simplified(op)
    if (result) made.set(result.name, result)
  }
  ops.forEach(take)
  return [...made.values()]
}

const constantOf = (op: GraphOp | undefined): Out | undefined => {
  const value = op?.op === 'Const' ? op.attributes.value : undefined
  if (!value || !('tensor' in value)) return undefined
  return { shape: [...value.tensor.shape], dtype: value.tensor.dtype }
}
