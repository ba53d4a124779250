import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { loadData } from '../../../../main/engine/data/index.ts'
import { cachedClassifier, classifierFile } from '../../../../main/engine/tasks/synthesis/cache.ts'
import { runSynthesis } from '../../../../main/engine/tasks/synthesis/run.ts'
import { loadRuntime } from '../../../../main/engine/runtime.ts'
import { knownLayer } from '../../../../shared/known.ts'
import type { SynthesisConfig, TransferProgress, TransferResult } from '../../../../shared/transfer.ts'
import { synthesisConfig } from './config.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-synthesis-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const config = synthesisConfig({
  training: { steps: 6 },
  evaluateEvery: 3,
  checkpointEvery: 2,
})
const run = (
  name: string,
  report: (progress: TransferProgress) => void = () => undefined,
): Promise<TransferResult> =>
  runSynthesis(
    { graph: knownLayer('BN-ReLU').graph, config, seed: 7, folder: path.join(root, 'transfer', name) },
    report,
  )
const pictures = (name: string): Record<string, string> => {
  const folder = path.join(root, 'transfer', name)
  const names = fs.readdirSync(folder).filter((file) => file.endsWith('.png'))
  return Object.fromEntries(
    names.sort().map((file) => [file, fs.readFileSync(path.join(folder, file)).toString('base64')]),
  )
}

test('a run that is cut off between checkpoints ends as one that is not, figures and pictures', async () => {
  const seen: TransferProgress[] = []
  const whole = await run('whole', (progress) => seen.push(progress))
  assert.equal(whole.outcome, 'finished')
  assert.equal(whole.step, 6)
  assert.deepEqual(
    whole.curve.filter(({ measures }) => measures).map(({ step }) => step),
    [0, 3, 6],
  )
  assert.deepEqual(
    seen.flatMap(({ picture }) => picture ?? []),
    ['sample-0.png', 'sample-3.png', 'sample-6.png'],
  )
  for (const name of ['fid', 'inceptionScore', 'agreement', 'realFid', 'realInceptionScore', 'realAgreement'])
    assert.ok(Number.isFinite(whole.measures[name]), name)
  assert.ok(whole.measures.realFid! < whole.measures.fid!)
  const kept = fs.readdirSync(path.join(root, 'transfer', 'whole')).filter((name) => name.endsWith('.bin'))
  assert.deepEqual(kept, ['checkpoint-6.bin'], 'of a run that has ended the newest is enough')

  const cut = new Error('cut off')
  const work = run('cut', ({ step }) => {
    if (step === 5) throw cut
  })
  await assert.rejects(work, cut)
  const checkpoints = () =>
    fs
      .readdirSync(path.join(root, 'transfer', 'cut'))
      .filter((file) => file.endsWith('.bin'))
      .sort()
  assert.deepEqual(checkpoints(), ['checkpoint-2.bin', 'checkpoint-4.bin'])
  // The newest one torn: the one before it serves.
  fs.truncateSync(path.join(root, 'transfer', 'cut', 'checkpoint-4.bin'), 1000)
  const steps: number[] = []
  const { seconds: _, ...resumed } = await run('cut', ({ step }) => steps.push(step))
  assert.equal(steps[0], 3)
  const { seconds: __, ...undisturbed } = whole
  assert.deepEqual(resumed, undisturbed)
  assert.deepEqual(pictures('cut'), pictures('whole'))
  assert.equal(Object.keys(pictures('whole')).at(0), 'interpolation-6.png')
})

test('a run whose loss is no number ends there as diverged, with what was measured before', async () => {
  const wild = { ...config, training: { ...config.training, generatorRate: 1e30 } }
  const result = await runSynthesis(
    {
      graph: knownLayer('EvoNorm-S0').graph,
      config: wild,
      seed: 7,
      folder: path.join(root, 'transfer', 'wild'),
    },
    () => undefined,
  )
  assert.equal(result.outcome, 'diverged')
  assert.ok(result.step < 6)
  assert.match(result.reason!, /loss was (NaN|-?Infinity) at step \d\.$/)
  assert.ok(Number.isFinite(result.measures['fid']))
})

test('a classifier is trained once a data set, and what is read back judges the same', async () => {
  const data = await loadData(config.data)
  const folder = path.join(root, 'classifiers')
  const file = classifierFile(data, folder)
  assert.ok(fs.existsSync(file), 'the run before has left it')
  const [kept, trained] = [
    await cachedClassifier(data, folder),
    await cachedClassifier(data, path.join(root, 'elsewhere')),
  ]
  const { images, count } = data.validation
  assert.deepEqual(await kept.judge(images, count), await trained.judge(images, count))
  assert.deepEqual(fs.readFileSync(file), fs.readFileSync(classifierFile(data, path.join(root, 'elsewhere'))))
  for (const classifier of [kept, trained]) classifier.dispose()
})

/** Starts a run that is to throw; how many tensors it leaves behind. */
const leftBy = async (what: Promise<TransferResult>, reason: RegExp): Promise<number> => {
  const { tf } = loadRuntime()
  const before = tf.memory().numTensors
  await assert.rejects(what, reason)
  return tf.memory().numTensors - before
}

test('a run that can’t begin leaves nothing behind: no classifier, no half-made network', async () => {
  const { graph } = knownLayer('BN-ReLU')
  const start = (name: string, changed: Partial<SynthesisConfig>): Promise<TransferResult> => {
    const folder = path.join(root, 'transfer', name)
    return runSynthesis({ graph, config: { ...config, ...changed }, seed: 7, folder }, () => undefined)
  }
  // The generator has three places for latents.
  const few = { ...config.network, latent: 2 }
  assert.equal(await leftBy(start('few', { network: few }), /needs? a latent each, got 2/), 0)
  const none = { ...config.sampling, samples: 0 }
  assert.equal(await leftBy(start('none', { sampling: none }), /needed at least 2 samples, got 0/), 0)
  // A checkpoint of another network.
  const foreign = path.join(root, 'transfer', 'foreign')
  fs.mkdirSync(foreign)
  const checkpoint = 'checkpoint-6.bin'
  fs.copyFileSync(path.join(root, 'transfer', 'whole', checkpoint), path.join(foreign, checkpoint))
  const wide = { ...config.network, channels: 8 }
  assert.equal(await leftBy(start('foreign', { network: wide }), /of other networks/), 0)
})

test('data that is not there is told as the environment’s fault', async () => {
  const folder = path.join(root, 'transfer', 'missing')
  const missing = {
    ...config,
    data: { ...config.data, kind: 'folder', path: path.join(root, 'none') },
  } as const
  await assert.rejects(
    runSynthesis({ graph: knownLayer('BN-ReLU').graph, config: missing, seed: 1, folder }, () => undefined),
    { name: 'EnvironmentError' },
  )
})
