import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNetwork } from '../../main/engine/network.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { deviation } from '../reference/layers.ts'
import { drawn, NETWORKS } from '../reference/networks.ts'
import { drawnBatch, drawnWeights, REFERENCE } from './drawn-weights.ts'

test('networks have as many parameters as their PyTorch builds', () => {
  assert.equal(NETWORKS.counts.length, 18)
  for (const { network: name, width, depth, layer, parameters } of NETWORKS.counts) {
    const { size, parameters: made } = createNetwork(
      { name, width, depth },
      knownLayer(layer).graph,
      REFERENCE,
    )
    made.dispose()
    assert.equal(size, parameters, `${name}, width ${width}, depth ${depth}, ${layer}`)
  }
})

for (const reference of NETWORKS.steps)
  test(`a training step of ${reference.network} with ${reference.layer} equals PyTorch`, () => {
    const { network: name, width, depth, imageSize, batch } = reference
    const { graph } = knownLayer(reference.layer)
    const trainer = createTrainer({
      architecture: { name, width, depth },
      graph,
      training: { ...PRESETS.demo.config.training, batchSize: batch, groups: REFERENCE.groups },
      imageSize,
      classes: REFERENCE.classes,
      seed: REFERENCE.seed,
      evaluationBatch: batch,
      weights: drawnWeights({ name, width, depth }, graph),
    })
    const { images, labels } = drawnBatch(imageSize, batch, reference.images)
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
