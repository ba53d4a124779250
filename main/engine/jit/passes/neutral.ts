import { DT } from '../known.ts'
import type { GraphOp } from '../proto.ts'
import { repeated, shapeFor } from './constants.ts'
import type { Graph, Rule } from './rewrite.ts'

/** The value of an operand that leaves the other one as it is, by op; the second list is of those that need it second. */
const EITHER: Readonly<Record<string, number>> = { Mul: 1, Add: 0, AddV2: 0 }
const SECOND: Readonly<Record<string, number>> = { ...EITHER, RealDiv: 1, Div: 1, Sub: 0 }

/** The operand beside a one or a zero that changes nothing. */
const beside = ({ op, inputs: [a, b] }: GraphOp, graph: Graph): string | null => {
  if (op in SECOND && repeated(b!, graph) === SECOND[op]) return a!
  return op in EITHER && repeated(a!, graph) === EITHER[op] ? b! : null
}

/** A multiplication or division by one, an addition or subtraction of zero; at most the shape changes. */
export const neutral: Rule = (op, graph) => {
  const operand = beside(op, graph)
  if (operand === null) return null
  const { shape, dtype } = graph.out(op.name)!
  if (String(graph.out(operand)?.shape) === String(shape)) return operand
  const to = shapeFor(op, shape)
  return [
    to,
    {
      name: op.name,
      op: 'BroadcastTo',
      inputs: [operand, to.name],
      attributes: { T: { type: dtype }, Tidx: { type: DT.int32 } },
    },
  ]
}
