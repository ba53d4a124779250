/**
 * A TensorFlow GraphDef from outside. TensorFlow has ops that read and write any file, so a graph is a program: here it is
 * taken apart, checked, and put together anew from what was checked, before TensorFlow sees a byte of it.
 */
import { createRequire } from 'node:module'

/**
 * The ops of frozen image networks: Inception's of 2015, and those that TensorFlow freezes it to (test/reference/inception_ops.py).
 * None touches a file, keeps state or calls a function. Where two constants broadcast, an op may still ask for more memory than
 * there is: that ends the worker at its limit (main/workers/limits.ts), with the cause told, and nothing else.
 */
export const ALLOWED: ReadonlySet<string> = new Set(
  (
    'Add AddV2 AvgPool BatchNormWithGlobalNormalization BiasAdd Cast CheckNumerics Concat ConcatV2 Const Conv2D DecodeJpeg ' +
    'DepthwiseConv2dNative ExpandDims FusedBatchNorm FusedBatchNormV3 Identity MatMul MaxPool Mean Mul NoOp Pack ' +
    'Placeholder RealDiv Relu Relu6 Reshape ResizeBilinear Rsqrt Shape Sigmoid Softmax Square Squeeze StridedSlice Sub Transpose'
  ).split(' '),
)
/** Bytes an element, by TensorFlow's type numbers: float, double, int32, uint8, string, int64, bool, half. */
const TYPES: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [2, 8],
  [3, 4],
  [4, 1],
  [7, 1],
  [9, 8],
  [10, 1],
  [19, 2],
])
const MOST_NODES = 20_000
/** Bytes of all constants, unfolded: a few bytes of file can stand for a tensor of any size. */
const MOST_BYTES = 2 ** 30
/** Integer constants are sizes, axes and paddings: one alone can make a tensor of any size at run time. */
const LARGEST_INTEGER = 4096
const MOST_IN_LIST = 64
const LONGEST_TEXT = 64

/** What is used of the generated classes, which are untyped JavaScript. */
type Shape = { getDimList(): { getSize(): number }[]; getUnknownRank(): boolean }
type Tensor = {
  getDtype(): number
  getTensorShape(): Shape | undefined
  getTensorContent_asU8(): Uint8Array
} & { [getter in `get${'Float' | 'Double' | 'Int' | 'String' | 'Int64' | 'Bool'}ValList`]: () => unknown[] }
type List = { [getter in `get${'S' | 'I' | 'F' | 'B' | 'Type' | 'Shape'}List`]: () => unknown[] } & {
  getTensorList(): unknown[]
  getFuncList(): unknown[]
}
type Attribute = {
  getValueCase(): number
  getList(): List
  getS_asU8(): Uint8Array
  getI(): number
  getType(): number
  getShape(): Shape
  getTensor(): Tensor | undefined
}
type Node = {
  getName(): string
  getOp(): string
  getInputList(): string[]
  setDevice(device: string): void
  getAttrMap(): { forEach(visit: (value: Attribute, key: string) => void): void; del(key: string): void }
}
type GraphDef = {
  getNodeList(): Node[]
  getLibrary(): { getFunctionList(): { getNodeDefList(): Node[] }[] } | undefined
  clearLibrary(): void
  serializeBinary(): Uint8Array
}
type Proto = { readonly GraphDef: { deserializeBinary(bytes: Uint8Array): GraphDef } }

export type VettedGraph = {
  /** Names of its nodes. */
  readonly nodes: ReadonlySet<string>
  /** The GraphDef again, without functions, devices and hints. */
  readonly bytes: Uint8Array
}

/** Throws one sentence, which begins with `who`, unless a GraphDef holds nothing but harmless ops of bounded sizes. */
export const vetGraph = (bytes: Uint8Array, who: string): VettedGraph => {
  const fail = (what: string, cause?: unknown): never => {
    throw new Error(`${who}: ${what}`, { cause })
  }
  const count = countNodes(bytes)
  if (count === null) return fail('needed a TensorFlow GraphDef, got another kind of file')
  if (count > MOST_NODES) return fail(`needed at most ${MOST_NODES} nodes, got ${count}`)
  let graph: GraphDef
  try {
    graph = parse(bytes)
  } catch (error) {
    return fail(`needed a TensorFlow GraphDef, got another kind of file (${(error as Error).message})`, error)
  }
  const nodes = graph.getNodeList()
  const functions = graph.getLibrary()?.getFunctionList() ?? []
  for (const node of [...nodes, ...functions.flatMap((each) => each.getNodeDefList())])
    if (!ALLOWED.has(node.getOp()))
      fail(`node ${shown(node.getName())}: needed an op of an image network, got ${shown(node.getOp())}`)
  let unfolded = 0
  for (const node of nodes) {
    const wrong = (what: string) => fail(`node ${shown(node.getName())} (${node.getOp()}): ${what}`)
    unfolded += vetAttributes(node, wrong)
    if (unfolded > MOST_BYTES) wrong(`needed constants of at most ${MOST_BYTES} bytes in all, got more`)
    // Where it once ran says nothing here.
    node.setDevice('')
  }
  const names = new Set(nodes.map((node) => node.getName()))
  if (names.size !== nodes.length) fail('needed a name of its own for each node, got one twice')
  graph.clearLibrary()
  return { nodes: names, bytes: graph.serializeBinary() }
}

const parse = (bytes: Uint8Array): GraphDef => {
  const proto = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Proto
  return proto.GraphDef.deserializeBinary(bytes)
}

/** Bytes of the node's constants, unfolded. */
const vetAttributes = (node: Node, wrong: (what: string) => never): number => {
  let bytes = 0
  const hints: string[] = []
  const types = new Set<number>()
  node.getAttrMap().forEach((attribute, name) => {
    const fail = (what: string) => wrong(`attribute ${shown(name)}: ${what}`)
    // Names that begin so are hints to TensorFlow's own passes, which can name functions and devices.
    if (name.startsWith('_')) hints.push(name)
    else bytes += vetAttribute(attribute, fail)
    if (name === 'dtype') types.add(attribute.getType())
    if (name === 'value') types.add(attribute.getTensor()?.getDtype() ?? 0)
  })
  // TensorFlow ends the process where they differ.
  if (node.getOp() === 'Const' && types.size !== 1) wrong('needed a constant of the type that it says')
  for (const name of hints) node.getAttrMap().del(name)
  return bytes
}

/** Cases of AttrValue, by the numbers of their fields. */
const CASE = { list: 1, text: 2, integer: 3, float: 4, bool: 5, type: 6, shape: 7, tensor: 8 } as const

const vetAttribute = (attribute: Attribute, fail: (what: string) => never): number => {
  switch (attribute.getValueCase()) {
    case CASE.list:
      vetList(attribute.getList(), fail)
      return 0
    case CASE.text:
      if (attribute.getS_asU8().length > LONGEST_TEXT) fail(`needed a text of at most ${LONGEST_TEXT} bytes`)
      return 0
    case CASE.integer:
      vetInteger(attribute.getI(), fail)
      return 0
    case CASE.type:
      if (!TYPES.has(attribute.getType())) fail(`needed a type of numbers, got type ${attribute.getType()}`)
      return 0
    case CASE.shape:
      elementsOf(attribute.getShape(), fail)
      return 0
    case CASE.tensor:
      return vetTensor(attribute.getTensor()!, fail)
    case CASE.float:
    case CASE.bool:
      return 0
    default:
      return fail('needed a value, got a function or none')
  }
}

const vetList = (list: List, fail: (what: string) => never): void => {
  if (list.getTensorList().length + list.getFuncList().length > 0)
    fail('needed numbers, got tensors or functions')
  const lists = [list.getSList(), list.getIList(), list.getFList(), list.getBList(), list.getTypeList()]
  const length = Math.max(list.getShapeList().length, ...lists.map((items) => items.length))
  if (length > MOST_IN_LIST) fail(`needed at most ${MOST_IN_LIST} values, got ${length}`)
  for (const value of list.getIList() as number[]) vetInteger(value, fail)
  for (const shape of list.getShapeList() as Shape[]) elementsOf(shape, fail)
}

const vetInteger = (value: number, fail: (what: string) => never): void => {
  if (Math.abs(value) >= 2 ** 31) fail(`needed a number of 32 bits, got ${value}`)
}

/** The number of elements of a shape, dimensions that are left open (−1) counted once. */
const elementsOf = (shape: Shape | undefined, fail: (what: string) => never): number => {
  const sizes = shape?.getDimList().map((dim) => dim.getSize()) ?? []
  if (sizes.length > 8) fail(`needed at most 8 dimensions, got ${sizes.length}`)
  const elements = sizes.reduce((product, size) => product * Math.abs(size), 1)
  if (sizes.some((size) => size < -1) || elements > MOST_BYTES)
    fail(`needed a shape of at most ${MOST_BYTES} elements, got [${sizes.join()}]`)
  return elements
}

const vetTensor = (tensor: Tensor, fail: (what: string) => never): number => {
  const width = TYPES.get(tensor.getDtype())
  if (width === undefined) return fail(`needed a tensor of numbers, got type ${tensor.getDtype()}`)
  const shape = tensor.getTensorShape()
  if (shape?.getUnknownRank() || shape?.getDimList().some((dim) => dim.getSize() < 0))
    fail('needed a constant of a known shape, got one that is open')
  const elements = elementsOf(shape, fail)
  const content = tensor.getTensorContent_asU8().length
  if (content > 0 && content !== elements * width)
    fail(`needed ${elements * width} bytes, as its shape says, got ${content}`)
  const largest = integersOf(tensor).find((value) => Math.abs(value) > LARGEST_INTEGER)
  if (largest !== undefined) fail(`needed integers up to ${LARGEST_INTEGER}, got ${largest}`)
  // The last value given stands for all that follow.
  const given = Math.max(
    ...[tensor.getFloatValList(), tensor.getDoubleValList(), tensor.getIntValList()].map((v) => v.length),
    ...[tensor.getStringValList(), tensor.getInt64ValList(), tensor.getBoolValList()].map((v) => v.length),
  )
  if (given > elements) fail(`needed at most ${elements} values, as its shape says, got ${given}`)
  return elements * width
}

const integersOf = (tensor: Tensor): number[] => {
  const content = tensor.getTensorContent_asU8().slice().buffer
  const given = [...tensor.getIntValList(), ...tensor.getInt64ValList()].map(Number)
  if (tensor.getDtype() === 3) return [...given, ...new Int32Array(content)]
  return tensor.getDtype() === 9 ? [...given, ...Array.from(new BigInt64Array(content), Number)] : []
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/**
 * How many nodes a GraphDef has, from the outermost lengths alone, so that a file of millions of empty ones is not
 * unfolded; null where these do not fit the file. Each field is a key, number × 8 + wire type 2, its length, its content.
 */
const countNodes = (bytes: Uint8Array): number | null => {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) return NaN
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    return NaN
  }
  let nodes = 0
  while (at < bytes.length) {
    const key = varint()
    const length = varint()
    if (key % 8 === 2) at += length
    else if (key % 8 !== 0) return null
    if (!(at <= bytes.length)) return null
    if (key === 0x0a) nodes++
  }
  return nodes > 0 ? nodes : null
}
