import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { z } from 'zod'
import { evaluate } from '../../../../main/engine/evaluate.ts'
import { readCheckpoint, writeTensors } from '../../../../main/engine/checkpoint.ts'
import { runSegmentation } from '../../../../main/engine/tasks/segmentation/run.ts'
import { EnvironmentError } from '../../../../main/workers/protocol.ts'
import { PRESETS } from '../../../../shared/catalog.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { TRANSFER_TASKS, type TransferProgress, type TransferResult } from '../../../../shared/transfer.ts'
import { runTiny, TINY } from './tiny.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-segmentation-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))
const folder = (name: string): string => path.join(root, name)
const withoutTime = ({ seconds: _, ...rest }: TransferResult) => rest
const FORMAT = { who: 'test', state: z.object({ names: z.array(z.string()) }) }
const tensorsOf = (name: string) =>
  readCheckpoint(path.join(folder(name), 'checkpoint-6.bin'), FORMAT).tensors

test('a run reports its points and pictures and ends with the last measures', async () => {
  const reports: TransferProgress[] = []
  const result = await runSegmentation(
    { graph: knownLayer('EvoNorm-B0').graph, config: TINY, seed: 3, folder: folder('whole') },
    (progress) => reports.push(progress),
  )
  assert.equal(result.outcome, 'finished')
  assert.equal(result.step, 6)
  assert.deepEqual(
    result.curve.map(({ step, measures }) => [step, measures !== null]),
    [1, 2, 3, 4, 5, 6].map((step) => [step, step % 3 === 0]),
  )
  assert.deepEqual(
    reports.map(({ point }) => point),
    result.curve,
  )
  const { measures, losses } = TRANSFER_TASKS.segmentation
  for (const name of Object.keys(result.measures)) assert.ok(name in measures, name)
  for (const point of result.curve) assert.deepEqual(Object.keys(point.losses), Object.keys(losses))
  const kept = fs.readdirSync(folder('whole')).filter((name) => name.endsWith('.bin'))
  assert.deepEqual(kept, ['checkpoint-6.bin'], 'the newest is enough for a backbone')
  const pictures = reports.flatMap(({ picture }) => picture ?? [])
  assert.deepEqual(pictures, ['overlay-3.png', 'overlay-6.png'])
  // Three images, each found beside true, two pairs a row.
  const { width, height } = await sharp(path.join(folder('whole'), 'overlay-6.png')).metadata()
  assert.deepEqual([width, height], [4 * 196 - 4, 2 * 196 - 4])
})

test('a run killed in the middle ends, when it goes on, as one that was not', async () => {
  const killed = folder('killed')
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'tiny.ts'), killed, '6'], {
    stdio: 'ignore',
  })
  const gone = once(child, 'exit')
  while (!fs.existsSync(path.join(killed, 'checkpoint-2.bin')) && child.exitCode === null) await sleep(5)
  child.kill('SIGKILL')
  await gone
  assert.ok(!fs.existsSync(path.join(killed, 'checkpoint-6.bin')), 'it was killed too late to tell')
  assert.deepEqual(withoutTime(await runTiny(killed)), withoutTime(await runTiny(folder('whole'))))
  assert.deepEqual(tensorsOf('killed'), tensorsOf('whole'))
})

test('a checkpoint of version 0.1, which lists the sums of its losses, is read as one of now', async () => {
  const format = { who: 'test', state: z.looseObject({ sums: z.record(z.string(), z.number()) }) }
  const { step, state, tensors } = readCheckpoint(path.join(folder('whole'), 'checkpoint-6.bin'), format)
  fs.mkdirSync(folder('older'))
  const older = { ...state, sums: Object.values(state.sums) }
  writeTensors(path.join(folder('older'), 'checkpoint-6.bin'), { step, state: older, tensors })
  const reports: TransferProgress[] = []
  const { graph } = knownLayer('EvoNorm-B0')
  const run = { graph, config: TINY, seed: 3, folder: folder('older') }
  const result = await runSegmentation(run, (progress) => reports.push(progress))
  assert.deepEqual(reports, [], 'it was at its end')
  assert.deepEqual(withoutTime(result), withoutTime(await runTiny(folder('whole'))))
})

test('a backbone is taken over from another run’s checkpoint', async () => {
  const backbone = path.join(folder('whole'), 'checkpoint-6.bin')
  const rest = { ...TINY, network: { ...TINY.network, backbone } }
  const still = { ...rest, training: { ...TINY.training, steps: 1, learningRate: 0 } }
  await runTiny(folder('lent'), still)
  const [lent, own] = ['lent/checkpoint-1.bin', 'whole/checkpoint-6.bin'].map((file) =>
    readCheckpoint(path.join(root, file), FORMAT),
  )
  const at = (name: string) => [
    lent!.tensors[lent!.state.names.indexOf(name)],
    own!.tensors[own!.state.names.indexOf(name)],
  ]
  const [stem, before] = at('backbone/weights/0')
  assert.deepEqual(stem, before)
  const [head, other] = at('heads/weights/1')
  assert.notDeepEqual(head, other)
  await assert.rejects(
    runTiny(folder('foreign'), { network: { ...TINY.network, backbone: import.meta.filename } }),
    EnvironmentError,
  )
})

test('a classifier’s trained network is taken over as the backbone', async () => {
  const file = path.join(root, 'classifier.bin')
  const data = { kind: 'shapes', imageSize: 32, trainingImages: 16, validationImages: 8 } as const
  const result = await evaluate(
    {
      purpose: 'score',
      graph: knownLayer('EvoNorm-B0').graph,
      seed: 1,
      data,
      architectures: [{ name: 'resnet', width: TINY.network.width, depth: TINY.network.depth }],
      training: { ...PRESETS.demo.config.training, steps: 2, batchSize: 8 },
      rejection: null,
      keep: { file, every: 100 },
    },
    () => undefined,
  )
  assert.equal(result.evaluations[0]!.steps, 2)
  const still = { ...TINY.training, steps: 1, learningRate: 0 }
  await runTiny(folder('classified'), { network: { ...TINY.network, backbone: file }, training: still })
  const of = (saved: string) => {
    const { state, tensors } = readCheckpoint(path.join(root, saved), FORMAT)
    return new Map(state.names.map((name, i) => [name, tensors[i]]))
  }
  const [classifier, detector] = [of('classifier.bin'), of('classified/checkpoint-1.bin')]
  const shared = [...classifier.keys()].filter((name) => name.startsWith('backbone/weights/'))
  assert.ok(shared.length > 20)
  for (const name of shared) assert.deepEqual(detector.get(name), classifier.get(name), name)
})

test('a loss that is not finite ends a run as diverged, with its step', async () => {
  const training = { ...TINY.training, steps: 30, learningRate: 1e12, warmupSteps: 0 }
  const result = await runTiny(folder('diverged'), { training, evaluateEvery: 100 })
  assert.equal(result.outcome, 'diverged')
  assert.ok(result.step < 30)
  assert.match(result.reason!, new RegExp(`step ${result.step}\\.$`))
  assert.ok(result.curve.every(({ losses }) => Object.values(losses).every(Number.isFinite)))
})

test('data that is not there, or numbers that do not fit together, are not the layer’s fault', async () => {
  for (const data of [
    { ...TINY.data, kind: 'coco' as const },
    { ...TINY.data, kind: 'coco' as const, path: root },
    { ...TINY.data, trainingImages: 0 },
  ])
    await assert.rejects(runTiny(folder('none'), { data }), EnvironmentError)
  const regions = { ...TINY.regions, proposals: 4, rois: 16 }
  await assert.rejects(runTiny(folder('none'), { regions }), /at most 12 regions to train on .*got 16/)
})

const coco = path.join(import.meta.dirname, '../../../../../shared/data/coco-tiny')
test('COCO’s images train and are measured', { skip: !fs.existsSync(coco) && `needs ${coco}` }, async () => {
  const data = { kind: 'coco', path: coco, imageSize: 64, trainingImages: 4, validationImages: 2 } as const
  const result = await runTiny(folder('coco'), { data, training: { ...TINY.training, steps: 2 } })
  assert.equal(result.outcome, 'finished')
  assert.ok('maskAp' in result.measures)
})
