import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadRuntime, type Tensor, type Tf, type Variable } from '../../main/engine/runtime.ts'
import { EXPORTS } from '../../shared/export/index.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { deviation, graphOf, LAYERS } from '../reference/layers.ts'
import { liveGraphs, slopeDeviation } from '../shared/live-graphs.ts'

const { tf } = loadRuntime()
const { shape, groups } = LAYERS

type Numbers = Readonly<Record<string, number[]>>
type ExportedLayer = InstanceType<Tf['layers']['Layer']> &
  Readonly<Record<string, { val: Variable } | undefined>>
type LayerClass = new (config: object) => ExportedLayer

/** Runs the exported file as a user would, with this process's tf in place of the package it imports. */
const layerClass = async (graph: Graph, name = 'Exported'): Promise<LayerClass> => {
  const code = EXPORTS.tfjs
    .generate(graph, name)
    .replace("import * as tf from '@tensorflow/tfjs'", 'const tf = globalThis.exportedTf')
  Object.assign(globalThis, { exportedTf: tf })
  const exported = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<
    string,
    LayerClass
  >
  return exported[name]!
}

const VECTORS = ['v0', 'v1', 'gamma', 'beta'] as const

/** Output, gradients of Σ y·dy, and the output for `x2` with x's batch statistics as the moving averages. */
const run = async (graph: Graph, x: number[], x2: number[]): Promise<Numbers> => {
  const Exported = await layerClass(graph)
  const layer = new Exported({ groups, momentum: 0 })
  // The first call builds it.
  tf.tidy(() => void layer.apply(tf.zeros([...shape])))
  const vectors = VECTORS.filter((name) => layer[name])
  for (const name of vectors) layer[name]!.val.assign(tf.tensor1d(LAYERS[name]))
  const numbers = tf.tidy(() => {
    const image = tf.variable(tf.tensor4d(x, shape))
    const apply = (input: Tensor, training: boolean) => layer.apply(input, { training }) as Tensor
    const { grads } = tf.variableGrads(
      () => apply(image, true).mul(tf.tensor4d(LAYERS.dy, shape)).sum().asScalar(),
      [image, ...vectors.map((name) => layer[name]!.val)],
    )
    const flat = (tensor: Tensor): number[] => Array.from(tensor.dataSync())
    // What the output does not depend on has none.
    const gradientOf = ({ name, size }: Variable) =>
      grads[name] ? flat(grads[name]) : Array<number>(size).fill(0)
    return {
      y: flat(apply(image, true)),
      inference: flat(apply(tf.tensor4d(x2, shape), false)),
      dx: gradientOf(image),
      ...Object.fromEntries(vectors.map((name) => [`d${name}`, gradientOf(layer[name]!.val)])),
    }
  })
  layer.dispose()
  return numbers
}

const FIELDS = ['y', 'dx', 'dv0', 'dv1', 'dgamma', 'dbeta', 'inference'] as const

test('every exported tfjs layer equals its PyTorch reference', async () => {
  for (const reference of LAYERS.cases) {
    const got = await run(graphOf(reference), LAYERS[reference.input], LAYERS.x2)
    for (const field of FIELDS) {
      const wanted = reference[field]
      if (!wanted) continue
      const off = deviation(got[field] ?? wanted.map(() => 0), wanted)
      // The reference itself holds float32 to this.
      assert.ok(off < 2e-4, `${reference.name} on ${reference.input}: ${field} off by ${off}`)
    }
  }
})

test('exported tfjs code of 30 random live layers equals the interpreter', async () => {
  for (const live of liveGraphs(30)) {
    const got = await run(live.graph, LAYERS.x, LAYERS.x)
    const off = deviation(got['y']!, live.y)
    assert.ok(off < 1e-4, `${formulaText(live.graph)}: off by ${off}`)
    assert.ok(deviation(got['inference']!, live.y) < 1e-4, `${formulaText(live.graph)}: inference`)
    const slope = slopeDeviation(live, (leaf) => got[`d${leaf}`])
    assert.ok(slope < 1e-3, `${formulaText(live.graph)}: gradient off by ${slope}`)
  }
})

test('an exported layer trains in a model, frees what it makes, and survives saving', async () => {
  const Exported = await layerClass(knownLayer('EvoNorm-B0').graph, 'Trained')
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [6, 6, 3], filters: 8, kernelSize: 3 }),
      new Exported({ momentum: 0.8 }),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ units: 2 }),
    ],
  })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const x = tf.randomNormal([32, 6, 6, 3], 0, 1, 'float32', 1)
  const y = tf.randomNormal([32, 2], 0, 1, 'float32', 2)
  const fit = () => model.fit(x, y, { epochs: 3, verbose: 0 })
  const losses = (await fit()).history['loss'] as number[]
  assert.ok(losses[2]! < losses[0]!, `losses ${losses}`)
  const tensors = tf.memory().numTensors
  await fit()
  assert.equal(tf.memory().numTensors, tensors)

  const copy = await tf.models.modelFromJSON(model.toJSON(null, false) as never)
  copy.setWeights(model.getWeights())
  assert.equal(copy.layers[1]!.getConfig()['momentum'], 0.8)
  const outputs = [model, copy].map((m) => Array.from((m.predict(x) as Tensor).dataSync()))
  assert.deepEqual(outputs[0], outputs[1])
})
