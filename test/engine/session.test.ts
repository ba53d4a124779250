import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { createClassification } from '../../main/engine/classification.ts'
import { loadData } from '../../main/engine/data/index.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { Session, type Progress } from '../../main/engine/session.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import type { EvaluationTask } from '../../shared/records.ts'

type Point = { readonly step: number; readonly loss: number | undefined; readonly measured: boolean }
type Saved = { readonly step: number; readonly state: Progress<'loss', Point>; readonly weight: number }

/** A session over one weight that each step moves; a point every second step, measured every third, kept every fourth. */
const weighing = (from: Saved | null, { wildAt = 0, examined = (_: number): string | null => null } = {}) => {
  let weight = from?.weight ?? 1
  const log: string[] = []
  const saved: Saved[] = []
  const session = new Session<'loss', Point, string>(
    {
      steps: 10,
      losses: ['loss'],
      measureEvery: 3,
      checkpointEvery: 4,
      pointDue: (step) => step % 2 === 0,
      step: (index) => {
        weight = Math.sin(weight * (index + 1))
        return { loss: index + 1 === wildAt ? NaN : weight }
      },
      diverged: (loss, value, step) => `${loss} ${value} at ${step}`,
      examine: (step) => {
        log.push(`examine ${step}`)
        return examined(step)
      },
      point: async ({ step, losses, measured }) => {
        log.push(`${measured ? 'measure' : 'point'} ${step}`)
        return { point: { step, loss: losses['loss'], measured }, ending: null }
      },
      save: (step, progress) => {
        log.push(`save ${step}`)
        saved.push({ step, state: structuredClone(progress), weight })
      },
    },
    from,
    performance.now(),
  )
  return { session, log, saved }
}

test('a session measures, tells and keeps where it is due, and at its last step', async () => {
  const { session, log } = weighing(null)
  assert.equal(await session.train(), null)
  assert.equal(session.step, 10)
  assert.deepEqual(
    log.filter((line) => !line.startsWith('examine')),
    [
      ...['point 2', 'measure 3', 'point 4', 'save 4', 'measure 6', 'point 8', 'save 8'],
      ...['measure 9', 'measure 10', 'save 10'],
    ],
  )
  // The state is looked at before it is measured or kept, once.
  assert.deepEqual(
    log.filter((line) => line.startsWith('examine')),
    [3, 4, 6, 8, 9, 10].map((step) => `examine ${step}`),
  )
})

test('each point has the mean of the losses since the one before, also over a checkpoint', async () => {
  const whole = weighing(null)
  await whole.session.train()
  let weight = 1
  const losses = Array.from({ length: 10 }, (_, index) => (weight = Math.sin(weight * (index + 1))))
  assert.equal(whole.session.curve[1]!.loss, losses[2])
  assert.equal(whole.session.curve[4]!.loss, (losses[6]! + losses[7]!) / 2)
  for (const from of whole.saved) {
    const resumed = weighing(from)
    assert.equal(await resumed.session.train(), null)
    assert.deepEqual(resumed.session.curve, whole.session.curve)
    assert.deepEqual(resumed.saved.at(-1)?.weight ?? from.weight, whole.saved.at(-1)!.weight)
    assert.ok(resumed.session.seconds >= from.state.seconds)
  }
})

test('a session is over at the first loss that is not finite, or a state that is not sound, with nothing kept of it', async () => {
  const wild = weighing(null, { wildAt: 4 })
  assert.equal(await wild.session.train(), 'loss NaN at 4')
  assert.equal(wild.session.step, 4)
  assert.deepEqual(wild.log.slice(-2), ['examine 3', 'measure 3'])
  const unsound = weighing(null, { examined: (step) => (step === 6 ? 'unsound' : null) })
  assert.equal(await unsound.session.train(), 'unsound')
  assert.deepEqual(unsound.log.slice(-2), ['save 4', 'examine 6'])
})

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-session-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

test('a training kept at one step and taken up by another session has the weights of one that went through', async () => {
  const architectures = [
    { name: 'resnet', width: 0.125, depth: 0.1 },
    { name: 'mobilenetv2', width: 0.125, depth: 0.1 },
  ] as const
  const task: EvaluationTask = {
    purpose: 'score',
    graph: knownLayer('BN-ReLU').graph,
    seed: 1,
    data: { kind: 'shapes', validationImages: 40, trainingImages: 80, imageSize: 16 },
    architectures,
    training: { ...PRESETS.demo.config.training, steps: 6, batchSize: 8, warmupSteps: 2 },
    rejection: null,
  }
  const data = await loadData(task.data)
  const open = (name: string) =>
    createClassification({
      task,
      architecture: architectures[1],
      data,
      keep: { file: path.join(root, name), every: 100 },
      report: () => undefined,
    })
  const { tf } = loadRuntime()
  const through = open('through')
  assert.equal(await through.train(6, 'train'), null)
  through.dispose()
  const before = tf.memory().numTensors
  for (const until of [2, 5, 6]) {
    const part = open('parts')
    assert.equal(await part.train(until, 'train'), null)
    assert.equal(part.step, until)
    assert.equal(part.record().accuracy === null, until < 6)
    part.dispose()
  }
  assert.equal(tf.memory().numTensors, before)
  const [whole, parts] = ['through', 'parts'].map((name) => fs.readFileSync(path.join(root, name)))
  // The same tensors: all that follows the header, but for the digest over both.
  const tensorsOf = (file: Buffer): Buffer =>
    file.subarray(file.indexOf('\n') + 5 + file.readUInt32LE(file.indexOf('\n') + 1), -32)
  assert.ok(tensorsOf(whole!).length > 10_000)
  assert.deepEqual(tensorsOf(parts!), tensorsOf(whole!))
})
