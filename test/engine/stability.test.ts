import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createNetwork } from '../../main/engine/network.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { squaredGradientNorm, testStability, type StabilityOptions } from '../../main/engine/stability.ts'
import { crossEntropy } from '../../main/engine/training.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import type { ArchitectureName } from '../../shared/records.ts'
import { deviation } from '../reference/layers.ts'
import { drawn } from '../reference/networks.ts'
import { drawnBatch, drawWeights, REFERENCE } from './drawn-weights.ts'

/** Made by test/reference/stability.py (see there for the meaning of the fields). */
const CASES = JSON.parse(
  readFileSync(new URL('../reference/stability.json', import.meta.url), 'utf8'),
) as readonly { network: ArchitectureName; layer: string; squared: number; sums: number[] }[]
const TINY = { width: 0.125, depth: 0.1 }

for (const { network: name, layer, squared, sums } of CASES)
  test(`the gradient norm of ${name} with ${layer}, and its gradient, equal PyTorch's double backward`, () => {
    const { tf } = loadRuntime()
    registerGradients()
    const { apply, parameters } = createNetwork({ name, ...TINY }, knownLayer(layer).graph, REFERENCE)
    drawWeights(parameters)
    const { images, labels } = drawnBatch(16, 4)
    const numbered = parameters.trainable.map((variable, number) => ({ variable, number }))
    const kernels = numbered.filter(({ variable }) => variable.rank === 4)
    const weights = kernels.map(({ variable }) => variable)
    tf.tidy(() => {
      const loss = () => {
        const logits = apply(tf.tensor4d(images, [4, 16, 16, 3]), { training: true, secondOrder: true })
        return crossEntropy(logits, tf.tensor1d(labels, 'int32'), REFERENCE.classes, 0)
      }
      const { value, grads } = tf.variableGrads(() => squaredGradientNorm(loss, weights) as never, weights)
      const got = kernels.map(({ variable, number }) => {
        const gradient = grads[variable.name]!.dataSync()
        return drawn(gradient.length, number + 2000).reduce((sum, w, i) => sum + w * gradient[i]!, 0)
      })
      const off = deviation([value.dataSync()[0]!, ...got], [squared, ...sums])
      assert.ok(off < 2e-4, `off by ${off.toExponential(1)}`)
    })
    parameters.dispose()
  })

const options = (graph: Graph, limits: Partial<StabilityOptions['limits']> = {}): StabilityOptions => ({
  architecture: { name: 'resnet', ...TINY },
  graph,
  limits: { steps: 20, maxGradientNorm: 1e8, learningRate: 0.1, batchSize: 4, ...limits },
  ...REFERENCE,
  imageSize: 16,
})
const BATCH = drawnBatch(16, 4)

test('recorded steps of ascent give the norms of eager ones, and the norm grows', () => {
  const { graph } = knownLayer('EvoNorm-B0')
  const limits = { steps: 3, learningRate: 1e-4 }
  const run = (eager: boolean) => testStability({ ...options(graph, limits), eager }, BATCH).gradientNorm!
  const [recorded, eager] = [run(false), run(true)]
  assert.ok(Math.abs(recorded - eager) < 1e-3 * eager, `${recorded} recorded, ${eager} eager`)
  const start = testStability({ ...options(graph, { steps: 1 }), eager: true }, BATCH).gradientNorm!
  assert.ok(recorded > start, `${start} at the start, ${recorded} at most`)
})

for (const name of ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'])
  test(`${name} is stable`, () => {
    const { gradientNorm, failedAt } = testStability(options(knownLayer(name).graph), BATCH)
    assert.equal(failedAt, null)
    assert.ok(gradientNorm !== null && gradientNorm > 0 && gradientNorm < 1e8)
  })

test('an activation without normalization is not: norm and step are given', () => {
  const steps: number[] = []
  const result = testStability(options(parseFormula('x * sigmoid(x)')), BATCH, (step) => steps.push(step))
  assert.ok(result.gradientNorm! > 1e8, String(result.gradientNorm))
  assert.notEqual(result.failedAt, null)
  assert.deepEqual(
    steps,
    [...Array(result.failedAt! + 1).keys()].map((step) => step + 1),
  )
})

test('a norm that is not finite fails without a value', () => {
  const result = testStability(options(parseFormula('x * exp(x * x)')), BATCH)
  assert.deepEqual(result, { gradientNorm: null, failedAt: 0 })
})
