import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { asSavedModel, loadFrozenGraph } from '../../../../main/engine/jit/frozen.ts'
import { savedModel, type GraphOp } from '../../../../main/engine/jit/proto.ts'
import { DT } from '../../../../main/engine/jit/shapes.ts'
import { loadRuntime } from '../../../../main/engine/runtime.ts'
import { loadInception } from '../../../../main/engine/tasks/synthesis/inception.ts'

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
  assert.throws(() => loadFrozenGraph(text), /text.pb is no TensorFlow GraphDef/)
})
