import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { evaluate } from '../../../../main/engine/evaluate.ts'
import { runVerification, trainingOf } from '../../../../main/engine/tasks/verification/run.ts'
import { parseFormula } from '../../../../shared/formula.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { mean } from '../../../../shared/pareto.ts'
import type { TransferProgress, VerificationConfig } from '../../../../shared/transfer.ts'
import { PRESETS } from '../../../../shared/catalog.ts'
import { verificationOf } from '../../../../shared/transfer/verification.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-verification-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const { config: demo } = PRESETS.demo
const config: VerificationConfig = {
  ...verificationOf({
    ...demo,
    data: { ...demo.data, validationImages: 40, trainingImages: 200 },
    architectures: demo.architectures.slice(0, 2).map((each) => ({ ...each, width: 0.125 })),
    training: { ...demo.training, batchSize: 8, warmupSteps: 2 },
  }),
  checkpointEvery: 3,
}
const short = {
  ...config,
  training: { ...config.training, steps: 12 },
  data: { ...config.data, testImages: 60 },
}
const runOf = (name: string, graph = knownLayer('EvoNorm-S0').graph) => ({
  graph,
  config: short,
  seed: 5,
  folder: path.join(root, name),
})
const run = (name: string, report: (progress: TransferProgress) => void = () => undefined) =>
  runVerification(runOf(name), report)

test('a run that is cut off in its second network ends as one that is not, and trains nothing twice', async () => {
  const steps: number[] = []
  const { seconds: _, ...whole } = await run('whole', ({ step }) => steps.push(step))
  assert.deepEqual([whole.outcome, whole.step, steps.at(-1)], ['finished', 12, 12])
  assert.deepEqual(Object.keys(whole.measures), ['accuracy', 'resnet', 'mobilenetv2'])
  assert.equal(whole.measures['accuracy'], mean([whole.measures['resnet']!, whole.measures['mobilenetv2']!]))
  assert.deepEqual(
    whole.curve.filter(({ measures }) => measures).map(({ step, losses }) => [step, Object.keys(losses)]),
    [3, 6, 9, 12].map((step) => [step, ['resnet', 'mobilenetv2']]),
  )
  assert.deepEqual(whole.curve.at(-1)!.measures, whole.measures)
  assert.equal(whole.data!.validationImages, 60)

  const cut = new Error('cut off')
  const work = run('cut', ({ step }) => {
    if (step === 9) throw cut
  })
  await assert.rejects(work, cut)
  const again: number[] = []
  const { seconds: __, ...resumed } = await run('cut', ({ step }) => again.push(step))
  assert.deepEqual(resumed, whole)
  assert.ok(
    again.every((step) => step === 0 || step >= 6),
    `from the first network’s end on, got ${again.join()}`,
  )
})

test('each network is trained as a search trains it, and measured on images that no search sees', async () => {
  const { measures } = await run('one')
  const { keep: _, ...task } = trainingOf(runOf('one'), 0)
  const apart = await evaluate(task, () => undefined)
  assert.equal(measures['resnet'], apart.scores![0])
  const { testImages: __, ...data } = task.data
  const searched = await evaluate({ ...task, data }, () => undefined)
  assert.deepEqual(
    searched.evaluations[0]!.curve.map(({ loss }) => loss),
    apart.evaluations[0]!.curve.map(({ loss }) => loss),
    'the same training',
  )
  assert.notEqual(searched.scores![0], apart.scores![0], 'other images')
})

test('a network that diverges ends the run, and says which', async () => {
  const { outcome, reason, measures } = await runVerification(
    runOf('wild', parseFormula('exp(square(x)) * exp(square(x))')),
    () => undefined,
  )
  assert.deepEqual([outcome, measures], ['diverged', {}])
  assert.match(reason!, /^resnet: the loss was not finite at step \d+\.$/)
})
