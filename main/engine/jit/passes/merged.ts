import type { AttributeValue, GraphOp } from '../proto.ts'
import type { Rule } from './rewrite.ts'

/** Ops of these names give something else each time, or change something. */
const STATEFUL = /Random|Truncated|Multinomial|Shuffle|Placeholder|Variable|Resource/
/** Constants of more values are not compared with others. */
const COMPARED = 16

/** Common sub-expressions, equal constants among them: ops that are as one before them. For one graph. */
export const merging = (): Rule => {
  const known = new Map<string, string>()
  return (op) => {
    if (STATEFUL.test(op.op)) return null
    const key = keyOf(op)
    if (key === null) return null
    const found = known.get(key)
    if (found === undefined) known.set(key, op.name)
    return found ?? null
  }
}

const keyOf = ({ op, inputs, attributes }: GraphOp): string | null => {
  let key = `${op}|${inputs.join()}`
  for (const name in attributes) {
    const text = textOf(attributes[name]!)
    if (text === null) return null
    key += `|${name}=${text}`
  }
  return key
}

const textOf = (value: AttributeValue): string | null => {
  if ('op' in value) return JSON.stringify(value.op.value)
  if ('type' in value) return String(value.type)
  if ('bool' in value) return String(value.bool)
  if ('shape' in value) return value.shape.join()
  const { dtype, shape, values } = value.tensor
  if (values.length > COMPARED) return null
  // By bits: 0 and −0 are two values, NaN is one.
  const bits = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('latin1')
  return `${dtype}[${shape.join()}]${bits}`
}
