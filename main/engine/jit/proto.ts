/** TensorFlow's SavedModel as bytes, through the protocol-buffer classes that tfjs-node ships. */
import { createRequire } from 'node:module'
import type { OpAttribute, Values } from '../runtime.ts'
import { DT } from './known.ts'

/** `values` holds one number for each element, or a single one that fills the tensor. */
export type Constant = { readonly dtype: number; readonly shape: readonly number[]; readonly values: Values }
export type AttributeValue =
  | { readonly type: number }
  | { readonly bool: boolean }
  | { readonly shape: readonly number[] }
  | { readonly tensor: Constant }
  | { readonly op: OpAttribute; readonly kind: string }

/** A node of the native graph. Inputs are `name`, `name:k` for output k, or `^name` for "after". */
export type GraphOp = {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

/** The generated classes are untyped JavaScript: setters named after the fields of TensorFlow's .proto files. */
type Message = { serializeBinary(): Uint8Array; getAttrMap(): { set(key: string, value: Message): void } } & {
  [setter: `set${string}` | `add${string}`]: (value: unknown) => void
}
type Constructor = { new (): Message }
type Classes = Record<
  'NodeDef' | 'AttrValue' | 'GraphDef' | 'VersionDef' | 'SavedModel' | 'Tensor',
  Constructor
> & {
  TensorShape: Constructor & { Dim: Constructor }
  AttrValue: Constructor & { ListValue: Constructor }
  MetaGraphDef: Constructor & { MetaInfoDef: Constructor }
}
const load = (): Classes =>
  createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Classes
let classes: Classes | undefined

/** GraphDef version of TensorFlow 2.x graphs; older ones get compatibility rewrites. */
const PRODUCER = 1882

const graphOf = (pb: Classes, ops: readonly GraphOp[]): Message => {
  const graph = new pb.GraphDef()
  graph.setNodeList!(ops.map((op) => nodeDef(pb, op)))
  const version = new pb.VersionDef()
  version.setProducer!(PRODUCER)
  graph.setVersions!(version)
  return graph
}

/** A graph's bytes as a GraphDef. */
export const graphDef = (ops: readonly GraphOp[]): Uint8Array =>
  graphOf((classes ??= load()), ops).serializeBinary()

/** The bytes of `saved_model.pb` for a graph, tagged `serve`. */
export const savedModel = (ops: readonly GraphOp[]): Uint8Array => {
  const pb = (classes ??= load())
  const graph = graphOf(pb, ops)
  const info = new pb.MetaGraphDef.MetaInfoDef()
  info.addTags!('serve')
  const meta = new pb.MetaGraphDef()
  meta.setMetaInfoDef!(info)
  meta.setGraphDef!(graph)
  const model = new pb.SavedModel()
  model.setSavedModelSchemaVersion!(1)
  model.addMetaGraphs!(meta)
  return model.serializeBinary()
}

const nodeDef = (pb: Classes, { name, op, inputs, attributes }: GraphOp): Message => {
  const node = new pb.NodeDef()
  node.setName!(name)
  node.setOp!(op)
  node.setInputList!([...inputs])
  const map = node.getAttrMap()
  for (const [key, value] of Object.entries(attributes)) map.set(key, attrValue(pb, value))
  return node
}

const attrValue = (pb: Classes, value: AttributeValue): Message => {
  const message = new pb.AttrValue()
  if ('tensor' in value) message.setTensor!(tensorProto(pb, value.tensor))
  else if ('shape' in value) message.setShape!(shapeProto(pb, value.shape))
  else if ('type' in value) message.setType!(value.type)
  else if ('bool' in value) message.setB!(value.bool)
  else setFromOp(pb, message, value.op, value.kind)
  return message
}

const FIELDS: Record<string, string> = { STRING: 'S', INT: 'I', FLOAT: 'F', BOOL: 'B', TYPE: 'Type' }

const setFromOp = (pb: Classes, message: Message, { name, value }: OpAttribute, kind: string): void => {
  if (kind === 'SHAPE') return message.setShape!(shapeProto(pb, value as number[]))
  const field = FIELDS[kind]
  if (!field) throw new Error(`jit: attribute ${name} has the kind ${kind}, which has no graph form here`)
  const encode = (item: unknown): unknown => (kind === 'STRING' ? Buffer.from(String(item)) : item)
  if (!Array.isArray(value)) return message[`set${field}`]!(encode(value))
  const list = new pb.AttrValue.ListValue()
  for (const item of value) list[`add${field}`]!(encode(item))
  message.setList!(list)
}

const shapeProto = (pb: Classes, shape: readonly number[]): Message => {
  const message = new pb.TensorShape()
  for (const size of shape) {
    const dim = new pb.TensorShape.Dim()
    dim.setSize!(size)
    message.addDim!(dim)
  }
  return message
}

const tensorProto = (pb: Classes, { dtype, shape, values }: Constant): Message => {
  const message = new pb.Tensor()
  message.setDtype!(dtype)
  message.setTensorShape!(shapeProto(pb, shape))
  // One value for a shape of many is that value repeated.
  if (values.length === 1 && dtype !== DT.int64) {
    if (dtype === DT.float) message.addFloatVal!(values[0])
    else if (dtype === DT.bool) message.addBoolVal!(Boolean(values[0]))
    else message.addIntVal!(values[0])
  } else message.setTensorContent!(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return message
}
