import type { OpAttribute, Variable } from '../runtime.ts'
import { loadRuntime } from '../runtime.ts'
import type { AttributeValue } from './proto.ts'
import { DT } from './shapes.ts'

/**
 * Variables that a program keeps together: one native variable holds them all end to end, so that the graph has one
 * handle, one reading and one update where it would have hundreds. A variable given alone is kept as it is.
 */
export type Pack = {
  readonly variables: readonly Variable[]
  readonly handle: string
  /** The op that reads the whole. */
  readonly read: string
  /** The op (and output) that gives the value of each variable, in their order. */
  readonly values: readonly string[]
  readonly shape: readonly number[]
  readonly dtype: number
}
/** Variables of a program; those in a list are kept together. */
export type Variables = readonly (Variable | readonly Variable[])[]

type Push = (op: string, inputs: readonly string[], attributes: Record<string, AttributeValue>) => string

const DTYPES = { float32: DT.float, int32: DT.int32 }

export const isTogether = (entry: Variable | readonly Variable[]): entry is readonly Variable[] =>
  Array.isArray(entry)

/** Declares the native variables of a program. */
export const declare = (variables: Variables, container: string, push: Push): Pack[] =>
  variables
    .map((entry) => (isTogether(entry) ? entry : [entry]))
    .filter((list) => list.length > 0)
    .map((list, i) => declareOne(list, `${container}/${i}`, push))

const declareOne = (variables: readonly Variable[], name: string, push: Push): Pack => {
  const { binding } = loadRuntime()
  const [first] = variables as readonly [Variable]
  const dtype = DTYPES[first.dtype as 'float32' | 'int32']
  const alone = variables.length === 1
  const shape = alone ? first.shape : [variables.reduce((sum, { size }) => sum + size, 0)]
  const text: OpAttribute = { name: 'shared_name', type: binding.TF_ATTR_STRING, value: name }
  const handle = push('VarHandleOp', [], {
    dtype: { type: dtype },
    shape: { shape },
    shared_name: { op: text, kind: 'STRING' },
  })
  const read = push('ReadVariableOp', [handle], { dtype: { type: dtype } })
  const values = alone ? [read] : parts(variables, read, dtype, push)
  return { variables, handle, read, values, shape, dtype }
}

const integers = (values: readonly number[], shape: readonly number[], push: Push): string =>
  push('Const', [], {
    dtype: { type: DT.int32 },
    value: { tensor: { dtype: DT.int32, shape, values: Int32Array.from(values) } },
  })

const parts = (variables: readonly Variable[], read: string, dtype: number, push: Push): string[] => {
  const { binding } = loadRuntime()
  const sizes = integers(
    variables.map(({ size }) => size),
    [variables.length],
    push,
  )
  const count: OpAttribute = { name: 'num_split', type: binding.TF_ATTR_INT, value: variables.length }
  const split = push('SplitV', [read, sizes, integers([0], [], push)], {
    T: { type: dtype },
    Tlen: { type: DT.int32 },
    num_split: { op: count, kind: 'INT' },
  })
  return variables.map(({ rank, shape }, i) => {
    const part = i === 0 ? split : `${split}:${i}`
    return rank === 1 ? part : reshape(part, shape, dtype, push)
  })
}

const reshape = (from: string, shape: readonly number[], dtype: number, push: Push): string =>
  push('Reshape', [from, integers(shape, [shape.length], push)], {
    T: { type: dtype },
    Tshape: { type: DT.int32 },
  })

/** The op that joins the values of a pack's variables, given in order, to the value of the whole. */
export const joined = ({ variables, dtype }: Pack, values: readonly string[], push: Push): string => {
  if (variables.length === 1) return values[0]!
  const { binding } = loadRuntime()
  const flat = values.map((value, i) =>
    variables[i]!.rank === 1 ? value : reshape(value, [-1], dtype, push),
  )
  const count: OpAttribute = { name: 'N', type: binding.TF_ATTR_INT, value: variables.length }
  return push('ConcatV2', [...flat, integers([0], [], push)], {
    T: { type: dtype },
    Tidx: { type: DT.int32 },
    N: { op: count, kind: 'INT' },
  })
}
