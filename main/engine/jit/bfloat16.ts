import { DT, type Out } from './known.ts'
import type { GraphOp } from './proto.ts'

/** TensorFlow's number for bfloat16 (DataType in types.proto). */
const BFLOAT16 = 14
/** Products, which GPUs have units for, and which of their operands are numbers (the others are shapes). */
const PRODUCTS: Readonly<Record<string, readonly [number, number]>> = {
  Conv2D: [0, 1],
  Conv2DBackpropInput: [1, 2],
  Conv2DBackpropFilter: [0, 2],
  MatMul: [0, 1],
  BatchMatMulV2: [0, 1],
}

/**
 * The same ops with convolutions and matrix products in bfloat16, everything else, and all variables, in float32: mixed
 * precision (Micikevicius et al. 2018), in the format whose range is float32's, so that no loss needs scaling (Kalamkar et
 * al. 2019). `outs` are the outputs of ops by the references to them.
 */
export const inBfloat16 = (ops: readonly GraphOp[], outs: ReadonlyMap<string, Out>): GraphOp[] => {
  const narrow = new Set<string>()
  return ops.flatMap((op) => {
    const operands = PRODUCTS[op.op]
    if (!operands || outs.get(op.name)?.dtype !== DT.float) return [op]
    const inputs = [...op.inputs]
    const casts: GraphOp[] = []
    for (const i of operands) {
      const wide = inputs[i]!
      const name = `${wide.replace(':', '_')}/bfloat16`
      inputs[i] = name
      if (!narrow.has(name)) casts.push(cast(name, wide, DT.float, BFLOAT16))
      narrow.add(name)
    }
    const name = `${op.name}/product`
    const product = { ...op, name, inputs, attributes: { ...op.attributes, T: { type: BFLOAT16 } } }
    return [...casts, product, cast(op.name, name, BFLOAT16, DT.float)]
  })
}

const cast = (name: string, input: string, from: number, to: number): GraphOp => ({
  name,
  op: 'Cast',
  inputs: [input],
  attributes: { SrcT: { type: from }, DstT: { type: to } },
})
