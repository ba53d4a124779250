import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { createRandom } from '../../../../shared/random.ts'
import { asSavedModel, readFrozenGraph } from '../../../../main/engine/jit/frozen.ts'
import { savedModel, type GraphOp } from '../../../../main/engine/jit/proto.ts'
import { DT } from '../../../../main/engine/jit/shapes.ts'
import { vetGraph } from '../../../../main/engine/jit/graphDef.ts'
import { loadRuntime } from '../../../../main/engine/runtime.ts'
import { loadInception, readInception } from '../../../../main/engine/tasks/synthesis/inception.ts'

loadRuntime()
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-inception-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const float = { type: DT.float }
const integers = (name: string, ...values: number[]): GraphOp => ({
  name,
  op: 'Const',
  inputs: [],
  attributes: {
    dtype: { type: DT.int32 },
    value: { tensor: { dtype: DT.int32, shape: [values.length], values: Int32Array.from(values) } },
  },
})
/** A frozen graph with Inception's names: its features are the image's mean colours, its classes the softmax of them. */
const OPS: readonly GraphOp[] = [
  {
    name: 'Mul',
    op: 'Placeholder',
    inputs: [],
    attributes: { dtype: float, shape: { shape: [1, 299, 299, 3] } },
  },
  integers('axes', 1, 2),
  {
    name: 'pool_3',
    op: 'Mean',
    inputs: ['Mul', 'axes'],
    attributes: { T: float, Tidx: { type: DT.int32 } },
  },
  { name: 'softmax', op: 'Softmax', inputs: ['pool_3'], attributes: { T: float } },
]

type Graph = { serializeBinary(): Uint8Array }
type Proto = {
  SavedModel: { deserializeBinary(bytes: Uint8Array): { getMetaGraphsList(): { getGraphDef(): Graph }[] } }
}
const proto = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Proto
const graphOf = (saved: Uint8Array): Uint8Array =>
  proto.SavedModel.deserializeBinary(saved).getMetaGraphsList()[0]!.getGraphDef().serializeBinary()
const write = (name: string, ops: readonly GraphOp[]): string => {
  const file = path.join(root, name)
  fs.writeFileSync(file, graphOf(savedModel(ops)))
  return file
}

test('a frozen graph within a SavedModel is the same graph', () => {
  const graph = graphOf(savedModel(OPS))
  assert.deepEqual(graphOf(asSavedModel(graph)), graph)
})

test('images go through an Inception graph one by one: features, and probabilities', async () => {
  const inception = loadInception(write('inception.pb', OPS))
  const images = new Uint8Array(2 * 4 * 4 * 3)
  for (let i = 0; i < images.length; i += 3) images.set(i < 48 ? [255, 0, 0] : [0, 255, 255], i)
  const { features, dimensions, probabilities } = await inception.judge(images, 2)
  assert.equal(dimensions, 3)
  assert.deepEqual([...features].map(Math.round), [1, -1, -1, -1, 1, 1])
  const e = Math.exp(2)
  const wanted = [e / (e + 2), 1 / (e + 2), 1 / (e + 2), 1 / (2 * e + 1), e / (2 * e + 1), e / (2 * e + 1)]
  probabilities.forEach((p, i) => assert.ok(Math.abs(p - wanted[i]!) < 1e-5))
  inception.dispose()
})

test('what is no Inception graph is refused, with the names that it lacks', () => {
  const other = write('other.pb', OPS.slice(0, 1))
  assert.throws(() => loadInception(other), /needs nodes named pool_3, softmax or logits, has none/)
  const text = path.join(root, 'text.pb')
  fs.writeFileSync(text, 'no graph at all')
  assert.throws(
    () => readFrozenGraph(text),
    /text.pb: needed a TensorFlow GraphDef, got another kind of file/,
  )
})

const text = (name: string, value: string): GraphOp => ({
  ...integers(name, 1),
  attributes: {
    dtype: { type: STRING },
    value: { tensor: { dtype: STRING, shape: [], values: Int32Array.of() } },
    path: { op: { name: 'path', type: 0, value }, kind: 'STRING' },
  },
})
const STRING = 7
/** A field of bytes in the wire format of protocol buffers. */
const field = (number: number, content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content)
  assert.ok(bytes.length < 128)
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes])
}
const saidOf = (bytes: Uint8Array): string | null => {
  try {
    vetGraph(bytes, 'graph')
    return null
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'Error', String(error))
    assert.match(error.message, /^graph: .*needed .*/)
    return error.message
  }
}
const graphWith = (...ops: GraphOp[]): Uint8Array => graphOf(savedModel([...OPS, ...ops]))

test('a graph that would write a file is refused before anything loads, wherever the op hides', () => {
  const written = path.join(root, 'written')
  const evil: GraphOp[] = [
    text('name', written),
    { name: 'evil', op: 'WriteFile', inputs: ['name', 'name'], attributes: {} },
  ]
  const ops = OPS.map((op) => (op.name === 'pool_3' ? { ...op, inputs: [...op.inputs, '^evil'] } : op))
  const file = write('evil.pb', [...ops, ...evil])
  for (const read of [readInception, loadInception])
    assert.throws(() => read(file), /node "evil": needed an op of an image network, got "WriteFile"/)
  const node = field(3, Buffer.concat([field(1, 'evil'), field(2, 'ReadFile')]))
  const library = field(2, field(1, Buffer.concat([field(1, field(1, 'f')), node])))
  assert.match(saidOf(Buffer.concat([graphWith(), library]))!, /got "ReadFile"/)
  for (const op of ['f', 'PartitionedCall', 'If', 'VarHandleOp', 'LoadLibrary', 'PyFunc', 'constructor', ''])
    assert.match(
      saidOf(graphWith({ name: 'x', op, inputs: [], attributes: {} }))!,
      /needed an op of an image/,
    )
  assert.ok(!fs.existsSync(written))
})

test('functions, devices and hints do not reach TensorFlow', () => {
  const library = field(2, field(1, field(1, field(1, 'harmless'))))
  const hinted: GraphOp = { ...integers('hinted', 1) }
  const kind = 'STRING'
  const attributes = { ...hinted.attributes, _hint: { op: { name: '_hint', type: 0, value: 'gpu' }, kind } }
  const graph = vetGraph(Buffer.concat([graphWith({ ...hinted, attributes }), library]), 'graph')
  assert.deepEqual(Buffer.from(graph.bytes), Buffer.from(graphWith(hinted)))
})

test('sizes are bounded by what a file declares, not by what it would unfold to', () => {
  const constant = (shape: number[], values = Float32Array.of(1), dtype: number = DT.float): GraphOp => ({
    ...integers('big', 1),
    attributes: { dtype: { type: dtype }, value: { tensor: { dtype, shape, values } } },
  })
  const cases: readonly (readonly [GraphOp, RegExp])[] = [
    [constant([2 ** 20, 2 ** 20]), /needed a shape of at most/],
    [constant([2 ** 15, 2 ** 14]), /needed constants of at most 1073741824 bytes in all/],
    [integers('size', 4097, 4097), /integers up to 4096, got 4097/],
    [
      { ...constant([1]), attributes: { ...constant([1]).attributes, dtype: { type: DT.int32 } } },
      /a constant of the type that it says/,
    ],
    [constant([-1]), /of a known shape/],
    [constant([-5]), /of a known shape/],
    [constant([0]), /needed at most 0 values/],
    [constant([1, 1, 1, 1, 1, 1, 1, 1, 1]), /at most 8 dimensions/],
    [constant([3], Float32Array.of(1, 2)), /needed 12 bytes, as its shape says, got 8/],
    [constant([1], Float32Array.of(1), 20), /a type of numbers, got type 20|tensor of numbers, got type 20/],
    [constant([1], Float32Array.of(1), 21), /got type 21/],
    [
      { name: 'p', op: 'Placeholder', inputs: [], attributes: { shape: { shape: [1e9, 1e9] } } },
      /needed a shape of at most/,
    ],
    [text('t', 'x'.repeat(65)), /needed a text of at most 64 bytes/],
    [OPS[0]!, /a name of its own/],
  ]
  for (const [op, message] of cases) assert.match(saidOf(graphWith(op)) ?? 'it was taken', message)
  const nodes = Buffer.alloc(2 * 2 ** 20)
  for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a
  assert.match(saidOf(nodes)!, /needed at most 20000 nodes, got 1048576/)
})

test('a thousand mutations of a graph give a sentence or a graph of harmless ops', () => {
  const random = createRandom('mutated graphs', 1)
  const whole = graphWith(text('name', 'x'))
  let refused = 0
  for (let i = 0; i < 1000; i++) {
    const bytes = Buffer.from(whole)
    for (let flips = 1 + random.below(3); flips > 0; flips--)
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    if (saidOf(random.next() < 0.3 ? bytes.subarray(0, random.below(bytes.length)) : bytes) !== null)
      refused++
  }
  assert.ok(refused > 500, `only ${refused} were refused`)
})
