import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate } from '../../main/engine/evaluate.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { countCorrect } from '../../main/engine/training.ts'
import { cosineRate } from '../../main/engine/optimizer.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { parseFormula } from '../../shared/formula.ts'
import { knownLayer } from '../../shared/known.ts'
import type { EvaluationProgress, EvaluationTask, RejectionConfig } from '../../shared/records.ts'

const RESNET = { name: 'resnet', width: 0.125, depth: 0.1 } as const
const MOBILENET = { name: 'mobilenetv2', width: 0.125, depth: 0.1 } as const

const REJECTION: RejectionConfig = {
  quality: { steps: 4, minAccuracy: 0 },
  stability: { steps: 2, maxGradientNorm: 1e8, learningRate: 1e-3, batchSize: 4 },
}
const task = (changes: Partial<EvaluationTask> = {}): EvaluationTask => ({
  purpose: 'score',
  graph: knownLayer('EvoNorm-S0').graph,
  seed: 1,
  data: { kind: 'shapes', validationImages: 70, trainingImages: 200, imageSize: 16 },
  architectures: [RESNET],
  training: { ...PRESETS.demo.config.training, steps: 10, batchSize: 8, warmupSteps: 2 },
  rejection: null,
  ...changes,
})
/** Numbers of tensors alive after each candidate. */
const tensorsLeft = new Set<number>()
let candidates = 0
const run = async (changes: Partial<EvaluationTask> = {}) => {
  const progress: EvaluationProgress[] = []
  const result = await evaluate(task(changes), (message) => progress.push(message))
  candidates++
  tensorsLeft.add(loadRuntime().tf.memory().numTensors)
  return { result, progress }
}

test('a label is right where its logit is above all others: ties, NaN and padding are not', () => {
  const count = (rows: number[][], labels: number[]) =>
    countCorrect(Float32Array.from(rows.flat()), Int32Array.from(labels))
  assert.equal(
    count(
      [
        [1, 3, 2],
        [5, 3, 2],
        [-3, -2, -1],
      ],
      [1, 0, 2],
    ),
    3,
  )
  assert.equal(
    count(
      [
        [1, 3, 2],
        [5, 3, 2],
        [-3, -2, -1],
      ],
      [0, 1, 0],
    ),
    0,
  )
  assert.equal(
    count(
      [
        [0, 0, 0],
        [2, 2, 1],
      ],
      [0, 1],
    ),
    0,
  )
  assert.equal(
    count(
      [
        [NaN, NaN, NaN],
        [NaN, 1, 0],
        [NaN, 1, 0],
      ],
      [0, 0, 1],
    ),
    0,
  )
  assert.equal(
    count(
      [
        [Infinity, 1, 0],
        [Infinity, Infinity, 0],
      ],
      [0, 0],
    ),
    1,
  )
  assert.equal(
    count(
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
      [-1, 0],
    ),
    1,
  )
})

test('the rate rises linearly, then falls as half a cosine', () => {
  const rates = [0, 1, 2, 6, 10].map((step) => cosineRate(0.1, step, 10, 2))
  const wanted = [0.05, 0.1, 0.1, 0.05, 0]
  rates.forEach((rate, i) => assert.ok(Math.abs(rate - wanted[i]!) < 1e-12, `${rate} for ${wanted[i]}`))
  assert.equal(cosineRate(0.1, 0, 10, 0), 0.1)
})

test('a task gives a score an architecture in its order, the cheapest trained first, and the same one again', async () => {
  const architectures = [RESNET, MOBILENET]
  const { result, progress } = await run({ architectures, rejection: REJECTION })
  assert.equal(result.rejection, null)
  assert.equal(result.scores?.length, 2)
  const stages = progress.map(({ stage, architecture }) => `${stage} ${architecture}`)
  assert.deepEqual(
    stages.filter((name, i) => name !== stages[i - 1]),
    [
      ...['prepare mobilenetv2', 'quality mobilenetv2', 'prepare resnet', 'quality resnet'],
      ...['stability mobilenetv2', 'train mobilenetv2', 'train resnet'],
    ],
  )
  const [mobilenet, resnet] = result.evaluations
  assert.deepEqual([mobilenet!.architecture, resnet!.architecture], [MOBILENET, RESNET])
  assert.deepEqual(result.scores, [resnet!.accuracy, mobilenet!.accuracy])
  assert.ok(mobilenet!.gradientNorm! > 0)
  for (const { steps, curve, parameters, accuracy } of result.evaluations) {
    assert.equal(steps, 10)
    assert.ok(parameters > 1000)
    assert.deepEqual(curve.at(-1), { step: 10, loss: curve.at(-1)!.loss, accuracy })
    assert.ok(curve.every(({ loss }) => loss !== null && Number.isFinite(loss)))
  }
  const again = (await run({ architectures, rejection: REJECTION })).result
  assert.deepEqual(again.scores, result.scores)
  assert.deepEqual(
    again.evaluations.map(({ curve }) => curve),
    result.evaluations.map(({ curve }) => curve),
  )
})

test('stopping to test quality changes nothing of the training', async () => {
  const tested = await run({ rejection: { ...REJECTION, stability: { ...REJECTION.stability, steps: 0 } } })
  const untested = await run()
  assert.deepEqual(tested.result.scores, untested.result.scores)
})

test('too low an accuracy after the first steps rejects, with what was measured and the limit', async () => {
  const quality = { steps: 4, minAccuracy: 0.99 }
  const { result } = await run({ architectures: [RESNET, MOBILENET], rejection: { ...REJECTION, quality } })
  assert.equal(result.scores, null)
  const measured = result.evaluations[0]!.curve.at(-1)!.accuracy!
  assert.deepEqual(result.rejection, {
    stage: 'quality',
    reason: 'validation accuracy too low after 4 steps',
    measured,
    limit: 0.99,
    architecture: 'mobilenetv2',
    step: 4,
  })
  assert.equal(result.evaluations.length, 1)
  assert.equal(result.evaluations[0]!.accuracy, null)
})

test('a gradient norm past the limit rejects, with the norm', async () => {
  const stability = { ...REJECTION.stability, maxGradientNorm: 1e-3 }
  const { result } = await run({ rejection: { ...REJECTION, stability } })
  const { stage, measured, limit, architecture, step } = result.rejection!
  assert.deepEqual(
    { stage, limit, architecture, step },
    { stage: 'stability', limit: 1e-3, architecture: 'resnet', step: 0 },
  )
  assert.ok(measured! > 1e-3)
  assert.equal(result.evaluations[0]!.gradientNorm, measured)
})

test('a loss that is not finite is a result, with and without early rejection', async () => {
  const graph = parseFormula('exp(exp(x * x))')
  for (const rejection of [REJECTION, null]) {
    const { result } = await run({ graph, rejection })
    assert.equal(result.scores, null)
    const { stage, reason, measured, architecture, step } = result.rejection!
    assert.deepEqual(
      { stage, reason, measured, architecture },
      { stage: 'quality', reason: 'the loss was not finite', measured: null, architecture: 'resnet' },
    )
    assert.equal(result.evaluations[0]!.steps, step)
    assert.equal(result.evaluations[0]!.accuracy, null)
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
  }
})

test('candidates leave no tensors behind, whatever became of them', async () => {
  await run({ graph: knownLayer('EvoNorm-B0').graph })
  assert.ok(tensorsLeft.size > 0 && candidates > 8)
  assert.deepEqual([...tensorsLeft], [loadRuntime().tf.memory().numTensors])
})
