import { DT } from '../known.ts'
import { shapeFor } from './constants.ts'
import { isOrdered, type Rule } from './rewrite.ts'

const RESHAPES = new Set(['Reshape', 'ExpandDims', 'Squeeze'])

/** A reshape of a reshape: one, from the first shape to the last. */
export const reshapeOnce: Rule = (op, { out, maker }) => {
  if (!RESHAPES.has(op.op)) return null
  const first = maker(op.inputs[0]!)
  if (!first || !RESHAPES.has(first.op) || isOrdered(first)) return null
  const { shape, dtype } = out(op.name)!
  const to = shapeFor(op, shape)
  return [
    to,
    {
      name: op.name,
      op: 'Reshape',
      inputs: [first.inputs[0]!, to.name],
      attributes: { T: { type: dtype }, Tshape: { type: DT.int32 } },
    },
  ]
}
