import assert from 'node:assert/strict'
import { test } from 'node:test'
import { predict, type Seen } from '../../main/search/predict.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { ArchitectureConfig, EvolutionConfig, SearchConfig } from '../../shared/records.ts'

const A: ArchitectureConfig = { name: 'resnet', width: 0.25, depth: 0.5 }
const B: ArchitectureConfig = { name: 'mobilenetv2', width: 0.5, depth: 0.5 }
const config = (evolution: Partial<EvolutionConfig>): SearchConfig => ({
  ...PRESETS.demo.config,
  architectures: [A, B],
  baselines: ['BN-ReLU', 'EvoNorm-B0'],
  training: { ...PRESETS.demo.config.training, steps: 100, batchSize: 32 },
  rejection: {
    ...PRESETS.demo.config.rejection,
    stability: { steps: 10, maxGradientNorm: 1e8, learningRate: 0.1, batchSize: 16 },
  },
  evolution: { ...PRESETS.demo.config.evolution, rerank: { count: 4, steps: 200 }, ...evolution },
})
const seen = (architecture: ArchitectureConfig, seconds: number): Seen => ({
  config: config({}),
  evaluation: {
    architecture,
    purpose: 'score',
    seed: 1,
    steps: 100,
    parameters: 1,
    curve: [],
    accuracy: 0.5,
    gradientNorm: null,
    seconds,
  },
})
/** 0.02 s a step of A (the middle of three), 0.03 s of B. */
const SEEN = [seen(A, 1), seen(A, 2), seen(A, 9), seen(B, 3)]

test('a time limit is the search, and the re-ranking comes on top', () => {
  // Baselines: 2 · 100 steps · 0.05 s / 2 workers = 5 s. Re-ranking: (4 layers + 1 baseline) · 200 steps, 25 s.
  const { seconds, measured } = predict(config({ maxSeconds: 300, maxTrained: 0 }), 2, SEEN)
  assert.deepEqual(seconds, { low: 330, high: 330 })
  assert.equal(measured, true)
})

test('a limit of candidates costs between early rejection and full trainings', () => {
  // A candidate: 100 · 0.05 s, and 10 ascent steps of half a batch at 2.5 · 0.02 s: 5.25 s. Baselines: 2 · 5 s.
  const { seconds, candidateSeconds } = predict(config({ maxSeconds: 0, maxTrained: 40 }), 2, SEEN)
  assert.ok(Math.abs(candidateSeconds - 5.25) < 1e-12)
  assert.ok(Math.abs(seconds!.high - ((10 + 40 * 5.25) / 2 + 25)) < 1e-9)
  assert.ok(Math.abs(seconds!.low - ((10 + 0.3 * 40 * 5.25) / 2 + 25)) < 1e-9)
})

test('without a limit there is no end to foretell', () => {
  assert.equal(predict(config({ maxSeconds: 0, maxTrained: 0 }), 2, SEEN).seconds, null)
})

test('trainings of other networks, batches or image sizes say nothing', () => {
  const other = { ...seen(A, 1e6), config: { ...config({}), data: { ...config({}).data, imageSize: 64 } } }
  const { measured, candidateSeconds } = predict(config({}), 2, [other, seen({ ...A, depth: 1 }, 1e6)])
  assert.equal(measured, false)
  assert.ok(candidateSeconds < 100)
})
