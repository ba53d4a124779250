/** Long classifications on the engine: killed, gone on with, and lent to segmentation. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { readCheckpoint, tensorsOf } from '../../main/engine/checkpoint.ts'
import type { EvaluationResult } from '../../shared/records.ts'
import type { TransferDetail } from '../../shared/transfer/contract.ts'
import { cli } from './cli.ts'
import { dataFolder, until } from './stand-in-app.ts'

const ENGINE = { NORMFORGE_EVALUATOR: path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts') }

/** As small as it gets. */
const classify = (layer: string, file: string, ...rest: string[]): string[] => [
  ...`classify --layer ${layer} --data shapes --steps 30 --save ${file} --save-every 4`.split(' '),
  ...'--set training.batchSize=8 --set data.trainingImages=40 --set data.validationImages=20'.split(' '),
  '--json',
  ...rest,
]

/** All but how long it took. */
const figures = (out: string) => {
  const { scores, evaluations } = (JSON.parse(out) as { result: EvaluationResult }).result
  return { scores, evaluations: evaluations.map(({ seconds: _, ...rest }) => rest) }
}

test('a classification killed in the middle goes on with the same command, to the same figures and network', async () => {
  const folder = dataFolder()
  const [whole, killed] = [path.join(folder, 'whole.bin'), path.join(folder, 'killed.bin')]
  const [first, dead] = await Promise.all([
    cli(classify('EvoNorm-B0', whole), ENGINE),
    cli(classify('EvoNorm-B0', killed), ENGINE, async (kill) => {
      await until('a checkpoint', () => existsSync(killed))
      kill('SIGKILL')
    }),
  ])
  assert.equal(first.code, 0, first.err)
  assert.deepEqual([dead.code, dead.out], [null, ''])
  const again = await cli(classify('EvoNorm-B0', killed), ENGINE)
  assert.equal(again.code, 0, again.err)
  const [, step] = /goes on from step (\d+) of 30/.exec(again.err)!
  assert.ok(Number(step) >= 4 && Number(step) < 30, again.err)
  assert.deepEqual(figures(again.out), figures(first.out))
  assert.deepEqual(tensorsIn(killed), tensorsIn(whole))

  const over = await cli(classify('EvoNorm-B0', whole), ENGINE)
  assert.match(over.err, /goes on from step 30 of 30/)
  assert.deepEqual(figures(over.out), figures(first.out))

  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      classify('EvoNorm-S0', whole),
      /--save: .*whole\.bin is of another training: layer\.formula: needed sigmoid\(.*, got x \/ max/,
    ],
    [classify('EvoNorm-B0', whole, '--seed', '7'), /of another training: seed: needed 7, got 1/],
    [
      classify('EvoNorm-B0', whole, '--set', 'training.learningRate=1'),
      /another training: training\.learningRate: needed 1, got 0\.05/,
    ],
  ]
  for (const [args, message] of cases) {
    const { code, err } = await cli(args)
    assert.equal(code, 1)
    assert.match(err, message)
  }
})
const FORMAT = { who: 'test', state: z.object({ names: z.array(z.string()) }) }
const tensorsIn = (file: string) => readCheckpoint(file, FORMAT).tensors

test('--save never overwrites a file that is something else', async () => {
  const folder = dataFolder()
  const file = path.join(folder, 'letter.txt')
  writeFileSync(file, 'dear')
  const { code, err } = await cli(classify('BN-ReLU', file))
  assert.equal(code, 1)
  assert.match(err, /--save: .*letter\.txt: needed a checkpoint, got another kind of file/)
  assert.equal(readFileSync(file, 'utf8'), 'dear')
  const nowhere = await cli(classify('BN-ReLU', path.join(folder, 'none', 'x.bin')))
  assert.match(nowhere.err, /--save: needs a folder that is there, got .*none/)
})

test('a classifier’s network is the backbone of segmentation: a file of one layer, or a folder of all', async () => {
  const folder = dataFolder()
  const [b0, bn] = [path.join(folder, 'b0.bin'), path.join(folder, 'bn.bin')]
  const few = ['--steps', '2', '--width', '0.125', '--depth', '0.1']
  const made = await cli(classify('EvoNorm-B0', b0, ...few), ENGINE)
  assert.equal(made.code, 0, made.err)
  const store = path.join(folder, 'store')
  const transfer = (backbone: string, ...rest: string[]): string[] => [
    ...'transfer --layer EvoNorm-B0 --task segmentation --data shapes --workers 1 --json'.split(' '),
    ...`--data-folder ${store} --set network.backbone=${backbone}`.split(' '),
    ...SMALL.flatMap((setting) => ['--set', setting]),
    ...rest,
  ]
  const alone = ['--set', 'baselines=[]']
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [transfer(b0), /BN-ReLU: backbone: .*b0\.bin: needed one trained with .*, got one trained with x \/ max/],
    [
      transfer(b0, ...alone, '--set', 'network.width=0.25'),
      /EvoNorm-B0: backbone: .*: needed a resnet of width 0\.25 and depth 0\.1, got a resnet of width 0\.125/,
    ],
    [
      transfer(b0, ...alone, '--set', 'network.stride=4'),
      /needed a stem of 7×7 \(network\.stride 4\), got 3×3/,
    ],
    [transfer(import.meta.filename, ...alone), /needed a checkpoint, got another kind of file/],
    [transfer(path.join(folder, 'none.bin'), ...alone), /there is no file .*none\.bin/],
    [transfer(folder), /BN-ReLU: backbone: .*: needed a file trained with .*, got x \/ max/],
  ]
  for (const [args, message] of refusals) {
    const { code, err } = await cli(args, ENGINE)
    assert.deepEqual([code, message.test(err)], [1, true], err)
  }
  const other = await cli(classify('BN-ReLU', bn, ...few), ENGINE)
  assert.equal(other.code, 0, other.err)
  const { code, out, err } = await cli(transfer(folder), ENGINE)
  assert.equal(code, 0, err)
  const { runs } = JSON.parse(out) as TransferDetail
  assert.deepEqual(
    runs.map(({ label, run }) => [label, run.state, run.result?.outcome]),
    [
      ['EvoNorm-B0', 'done', 'finished'],
      ['BN-ReLU', 'done', 'finished'],
    ],
  )
  // At a rate of 0 it stays what it was.
  for (const [i, file] of [b0, bn].entries())
    assert.deepEqual(stemIn(path.join(store, 'transfer', runs[i]!.run.key, 'checkpoint-1.bin')), stemIn(file))
})

const SMALL = [
  'network.width=0.125',
  'network.depth=0.1',
  'network.pyramidChannels=8',
  'network.boxChannels=16',
  'network.maskChannels=8',
  'data.trainingImages=4',
  'data.validationImages=2',
  'training.steps=1',
  'training.batchSize=1',
  'training.learningRate=0',
  'seeds=1',
  'baselines=["BN-ReLU"]',
]
const stemIn = (file: string): Float32Array =>
  tensorsOf(readCheckpoint(file, FORMAT)).get('backbone/weights/0')!
