import type { Values } from '../../runtime.ts'
import { DT } from '../known.ts'
import type { Constant, GraphOp } from '../proto.ts'
import type { Graph, Rule } from './rewrite.ts'

/** A constant that is one repeated value keeps that value alone (a network's graph: 0.2 MB instead of 194 MB). */
export const oneValue: Rule = (op) => {
  const constant = constantOf(op)
  if (!constant || constant.values.length < 2 || constant.dtype === DT.int64 || !isUniform(constant.values))
    return null
  const tensor = { ...constant, values: constant.values.slice(0, 1) }
  return [{ ...op, attributes: { ...op.attributes, value: { tensor } } }]
}

/** A tensor filled with a constant is a constant. */
export const filled: Rule = ({ name, op, inputs }, graph) => {
  const of = { ZerosLike: 0, OnesLike: 1, Fill: op === 'Fill' && repeated(inputs[1]!, graph) }[op]
  if (typeof of !== 'number') return null
  const { shape, dtype } = graph.out(name)!
  const values = dtype === DT.float ? Float32Array.of(of) : dtype === DT.int32 ? Int32Array.of(of) : null
  return values && [constant(name, { dtype, shape, values })]
}

/** Whether all elements have the same bits. Compares the bytes with themselves shifted by one element. */
export const isUniform = (values: Values): boolean => {
  if (values.length < 2) return true
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  const step = values.BYTES_PER_ELEMENT
  return bytes.compare(bytes, step, bytes.length, 0, bytes.length - step) === 0
}

export const constantOf = (op: GraphOp | undefined): Constant | undefined => {
  const value = op?.op === 'Const' ? op.attributes.value : undefined
  return value && 'tensor' in value ? value.tensor : undefined
}

/** The value that every element of a constant has; undefined of all else. After `oneValue`. */
export const repeated = (reference: string, graph: Graph): number | undefined => {
  const values = constantOf(graph.maker(reference))?.values
  return values?.length === 1 ? Number(values[0]) : undefined
}

export const constant = (name: string, tensor: Constant): GraphOp => ({
  name,
  op: 'Const',
  inputs: [],
  attributes: { dtype: { type: tensor.dtype }, value: { tensor } },
})

/** A constant shape for the op `of`. */
export const shapeFor = (of: GraphOp, shape: readonly number[]): GraphOp =>
  constant(`${of.name}/shape`, {
    dtype: DT.int32,
    shape: [shape.length],
    values: Int32Array.from(shape),
  })
