import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNetwork } from '../../main/engine/network.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { deviation } from '../reference/layers.ts'
import { drawn, NETWORKS } from '../reference/networks.ts'

const CLASSES = 10
const GROUPS = 8

test('networks have as many parameters as their PyTorch builds', () => {
  assert.equal(NETWORKS.counts.length, 18)
  for (const { network: name, width, depth, layer, parameters } of NETWORKS.counts) {
    const options = { classes: CLASSES, groups: GROUPS, seed: 1 }
    const { size, parameters: made } = createNetwork({ name, width, depth }, knownLayer(layer).graph, options)
    made.dispose()
    assert.equal(size, parameters, `${name}, width ${width}, depth ${depth}, ${layer}`)
  }
})

/** The starting weights of networks.py: kernels scaled by their fan-in, vectors around where they start. */
const startingWeights = (...[architecture, graph]: Parameters<typeof createNetwork>): Float32Array[] => {
  const { parameters } = createNetwork(architecture, graph, { classes: CLASSES, groups: GROUPS, seed: 1 })
  const weights = parameters.trainable.map((variable, number) => {
    const { shape, rank, size } = variable
    const initial = variable.dataSync()
    const depthwise = rank === 4 && shape[3] === 1
    const fanIn = rank === 2 ? 6 * shape[0]! : size / (depthwise ? shape[2]! : shape.at(-1)!)
    const scale = rank >= 2 ? Math.sqrt(6 / fanIn) : 1 / 4
    return drawn(size, number).map((value, i) => scale * value + (rank >= 2 ? 0 : initial[i]!))
  })
  parameters.dispose()
  return weights
}

for (const reference of NETWORKS.steps)
  test(`a training step of ${reference.network} with ${reference.layer} equals PyTorch`, () => {
    const { network: name, width, depth, imageSize, batch } = reference
    const { graph } = knownLayer(reference.layer)
    const weights = startingWeights({ name, width, depth }, graph, {
      classes: CLASSES,
      groups: GROUPS,
      seed: 1,
    })
    const trainer = createTrainer({
      architecture: { name, width, depth },
      graph,
      training: { ...PRESETS.demo.config.training, batchSize: batch, groups: GROUPS },
      imageSize,
      classes: CLASSES,
      seed: 1,
      evaluationBatch: batch,
      weights,
    })
    const images = drawn(batch * imageSize * imageSize * 3, 1000).map((value) => 2 * value)
    const labels = Int32Array.from({ length: batch }, (_, n) => (3 * n) % CLASSES)
    const before = trainer.step(images, labels, 0.1)
    const sums = trainer
      .weights()
      .map((values, i) => drawn(values.length, i + 2000).reduce((sum, w, j) => sum + w * values[j]!, 0))
    const inference = trainer.predict(images)
    const after = trainer.step(images, labels, 0.1)
    trainer.dispose()
    const off = {
      loss: deviation([before, after], reference.loss),
      inference: deviation(inference, reference.inference),
      weights: deviation(sums, reference.sums),
    }
    for (const [what, value] of Object.entries(off))
      assert.ok(value < 1e-4, `${what} is off by ${value.toExponential(1)}`)
  })
