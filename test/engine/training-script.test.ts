/** The training script beside a PyTorch export, run where PyTorch is: the engine's networks, on the images it would take. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { createNetwork } from '../../main/engine/network.ts'
import { loadCifar10 } from '../../main/engine/data/cifar10.ts'
import { channelStatistics } from '../../main/engine/data/batches.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { EXPORTS } from '../../shared/export/index.ts'
import { trainingScript } from '../../shared/export/pytorch-training.ts'
import { parseFormula } from '../../shared/formula.ts'
import { verificationOf } from '../../shared/transfer/verification.ts'
import { findPyTorch } from '../bench/peer.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-script-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

/** Records with labels in turn; the pixels are drawn from a linear congruential generator. */
const records = (count: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(count * 3073)
  let state = seed
  for (let i = 0; i < bytes.length; i++) {
    state = (1664525 * state + 1013904223) % 2 ** 32
    bytes[i] = i % 3073 === 0 ? Math.floor(i / 3073) % 10 : state >>> 24
  }
  return bytes
}

test('its networks have as many parameters as the engine’s, and its images are the engine’s', (t) => {
  const python = findPyTorch()
  if ('missing' in python) return t.skip(python.missing)
  const graph = parseFormula('x * sigmoid(v1 * x) / std_hwg(x) + v0')
  const { config: demo } = PRESETS.demo
  const config = {
    ...verificationOf({
      ...demo,
      data: { ...demo.data, kind: 'cifar10', path: root, validationImages: 7, trainingImages: 40 },
    }),
  }
  const test = records(9, 2)
  // The test batch holds a copy of a training image.
  const training = records(60, 1)
  training.copy(test, 0, 30 * 3073, 31 * 3073)
  fs.writeFileSync(path.join(root, 'data_batch_1.bin'), training)
  fs.writeFileSync(path.join(root, 'test_batch.bin'), test)
  fs.writeFileSync(path.join(root, 'mine.py'), EXPORTS.pytorch.generate(graph, '#7', '#7'))
  fs.writeFileSync(path.join(root, 'mine_training.py'), trainingScript(graph, 'mine', '#7', config))

  const looks = [
    'import sys; sys.argv = ["x", sys.argv[1], "--steps", "1"]',
    'import mine_training as t',
    '(images, labels), (tests, _) = t.read(sys.argv[1])',
    'sizes = {n: sum(p.numel() for p in t.build(a).parameters()) for n, a in t.PROTOCOL["networks"].items()}',
    'print(t.json.dumps([sizes, labels.tolist(), images[0].flatten().tolist()[:8], tests.mean().item()]))',
  ].join('\n')
  const out = execFileSync(python.python, ['-c', looks, root], { cwd: root, encoding: 'utf8' })
  const [, accuracy, json] = out.trim().split('\n')
  assert.match(accuracy!, /^accuracy [\d.]+$/, 'it trains')
  const [sizes, labels, pixels, mean] = JSON.parse(json!) as [
    Record<string, number>,
    number[],
    number[],
    number,
  ]
  for (const architecture of config.architectures) {
    const network = createNetwork(architecture, graph, {
      classes: 10,
      groups: config.training.groups,
      seed: 1,
    })
    assert.equal(sizes[architecture.name], network.size, architecture.name)
    network.parameters.dispose()
  }
  const data = loadCifar10({ ...config.data, path: root })
  assert.deepEqual(labels, [...data.training.labels])
  const { mean: centre, deviation } = channelStatistics(data.training)
  const close = (got: number, needed: number): void =>
    assert.ok(Math.abs(got - needed) < 1e-5, `needed ${needed}, got ${got}`)
  pixels.forEach((value, i) => close(value, (data.training.images[3 * i]! - centre[0]!) / deviation[0]!))
  const all = data.validation.images
  close(
    mean,
    [...all].reduce((sum, byte, i) => sum + (byte - centre[i % 3]!) / deviation[i % 3]!, 0) / all.length,
  )
})
