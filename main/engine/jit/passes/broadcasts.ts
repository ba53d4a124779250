import type { GraphOp } from '../proto.ts'
import { broadcastShape, elementsOf } from '../shapes.ts'
import { constant, constantOf } from './constants.ts'
import type { Graph, Rule } from './rewrite.ts'

/** These broadcast their operands themselves. */
const BROADCASTING = new Set(
  (
    'Mul Add AddV2 Sub RealDiv Div DivNoNan Maximum Minimum Pow SquaredDifference ' +
    'Greater GreaterEqual Less LessEqual Equal NotEqual SelectV2'
  ).split(' '),
)
/** TensorFlow's elementwise ops broadcast over no more dimensions. */
const MOST = 5

/**
 * An operand that is one number, made as large as the other: the number itself. Larger ones stay as they are: TensorFlow's
 * BroadcastTo and an op on equal shapes take 0.8 of the time of an op that broadcasts along channels or samples.
 */
export const oneNumber: Rule = (op, graph) => {
  const wanted = BROADCASTING.has(op.op) ? graph.out(op.name)!.shape : null
  if (!wanted || wanted.length > MOST) return null
  for (const [i, input] of op.inputs.entries()) {
    const shapes = op.inputs.map((other) => graph.out(other)?.shape)
    const smaller = numberOf(graph.maker(input), `${op.name}/${i}`, graph)
    if (!smaller || shapes.includes(undefined)) continue
    const result = shapes.reduce<readonly number[]>(
      (shape, other, j) => broadcastShape(shape, i === j ? smaller.shape : other!),
      [],
    )
    if (String(result) !== String(wanted)) continue
    const inputs = op.inputs.map((other, j) => (i === j ? smaller.reference : other))
    return [...smaller.added, { ...op, inputs }]
  }
  return null
}

type Smaller = {
  readonly reference: string
  readonly shape: readonly number[]
  readonly added: readonly GraphOp[]
}

/** The one number that an operand repeats; `name` is for a new constant. */
const numberOf = (operand: GraphOp | undefined, name: string, { out }: Graph): Smaller | null => {
  if (operand?.op === 'BroadcastTo') {
    const [reference] = operand.inputs as [string]
    const shape = out(reference)?.shape
    return shape && elementsOf(shape) === 1 ? { reference, shape, added: [] } : null
  }
  const { dtype, shape, values } = constantOf(operand) ?? {}
  if (values?.length !== 1 || !shape || shape.length === 0) return null
  return { reference: name, shape: [], added: [constant(name, { dtype: dtype!, shape: [], values })] }
}
