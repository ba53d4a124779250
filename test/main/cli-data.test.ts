/** Users' data on the command line: told before anything trains, asked about where they are ambiguous, refused with code 1. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import type { DataReport } from '../../shared/data.ts'
import type { TransferDetail } from '../../shared/transfer/contract.ts'
import type { Report } from '../../main/cli/report.ts'
import { configOf } from '../../main/cli/search.ts'
import { cocoJson, picture, writeCoco } from '../engine/data/cocoCases.ts'
import { cli, type Ended } from './cli.ts'
import { dataFolder } from './stand-in-app.ts'

const READ = { NORMFORGE_STANDIN_DATA: 'read' }
const writeImages = async (folder: string, names: readonly string[]): Promise<string> => {
  for (const [i, name] of names.entries()) {
    const file = path.join(folder, `${name}.png`)
    mkdirSync(path.dirname(file), { recursive: true })
    await picture(i, 16, 16).png().toFile(file)
  }
  return folder
}
const CLASSES = ['a/1', 'a/2', 'b/3', 'b/4']
const SHORT =
  '--set evolution.maxSeconds=0 --set evolution.maxTrained=1 --set evolution.rerank.count=0 --set data.imageSize=16'.split(
    ' ',
  )
const refused = ({ code, out, err }: Ended, message: RegExp): void => {
  assert.deepEqual([code, out], [1, ''], err)
  assert.match(err, message)
  assert.ok(!err.includes('    at '), err)
}

describe("users' data on the command line", { concurrency: 3 }, () => {
  test('a search tells what its folder holds, keeps it, and checks it again when it goes on', async () => {
    const folder = dataFolder()
    const images = await writeImages(path.join(folder, 'images'), CLASSES)
    writeFileSync(path.join(images, 'a', 'broken.jpg'), 'no image')
    const args = ['--data-folder', path.join(folder, 'store'), '--set', 'data.validationImages=2']
    const made = await cli(['search', '--data', images, ...SHORT, ...args, '--json'], READ)
    assert.equal(made.code, 0, made.err)
    assert.match(
      made.err,
      /^data: 2 images for training, 2 held out for validation\n {2}2 classes \(images\): a 2, b 2\n/,
    )
    const { search } = JSON.parse(made.out) as Report
    assert.deepEqual(search.data!.notes, [
      { what: 'image files left out, they do not decode', count: 1, examples: ['a/broken.jpg'] },
    ])
    const shown = await cli(['show', search.id, '--data-folder', path.join(folder, 'store')])
    assert.match(shown.out, /2 images for training, 2 held out .*\n[^]*accuracies on 2 validation images/)
    rmSync(images, { recursive: true })
    refused(
      await cli(['resume', search.id, '--data-folder', path.join(folder, 'store')], READ),
      /images: needed a folder, found none/,
    )
  })

  test('images that cannot be read, and too few of them, end with code 1', async () => {
    const folder = dataFolder()
    const broken = path.join(folder, 'broken')
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(broken, name), { recursive: true })
      writeFileSync(path.join(broken, name, '1.jpg'), 'no image')
    }
    const classify = (data: string, ...rest: string[]) =>
      cli(['classify', '--layer', 'BN-ReLU', '--data', data, '--data-folder', folder, ...rest], READ)
    refused(await classify(broken), /needed a sub-folder of images for each of at least 2 classes, got 0/)
    const images = await writeImages(path.join(folder, 'images'), CLASSES)
    truncateSync(path.join(images, 'a/1.png'), 300)
    truncateSync(path.join(images, 'a/2.png'), 300)
    refused(
      await classify(images),
      /readable images of at least 2 classes, got 1; image files left out, they do not decode: 2/,
    )
    const json = await classify(
      await writeImages(path.join(folder, 'good'), CLASSES),
      '--set',
      'data.validationImages=1',
      '--json',
    )
    assert.equal(json.code, 0, json.err)
    assert.equal((JSON.parse(json.out) as { data: DataReport }).data.trainingImages, 3)
  })

  test('an ambiguous folder is asked about, the answer is part of the protocol', async () => {
    const folder = dataFolder()
    const coco = await writeCoco(path.join(folder, 'coco'), {
      train2014: cocoJson([9]),
      train2017: cocoJson([1, 2]),
      val: cocoJson([50]),
    })
    const transfer = (...rest: string[]) =>
      cli(
        [
          ...'transfer --layer BN-ReLU --task segmentation --set training.steps=10 --set seeds=1 --set baselines=[]'.split(
            ' ',
          ),
          ...['--data', coco, '--data-folder', path.join(folder, 'store'), '--json', ...rest],
        ],
        READ,
      )
    refused(
      await transfer(),
      /Which part is for training: train2014, train2017\? Choose with --training-split and --validation-split:\n {2}train2014 \(1 image\)\n {2}train2017 \(2 images\)\n {2}val \(1 image\)/,
    )
    const promotions = []
    for (const split of ['train2014', 'train2017']) {
      const made = await transfer('--training-split', split)
      assert.equal(made.code, 0, made.err)
      assert.match(made.err, new RegExp(`of instances_${split}\\.json for training, 1 of instances_val`))
      promotions.push((JSON.parse(made.out) as TransferDetail).summary.promotion)
    }
    const [first, second] = promotions
    assert.notEqual(first!.protocol, second!.protocol)
    assert.deepEqual(
      promotions.map(({ config }) => (config.data as { trainingSplit?: string }).trainingSplit),
      ['train2014', 'train2017'],
    )
  })

  test('odd values of --data and of what is set are told as the user’s error', async () => {
    const folder = dataFolder()
    const file = path.join(folder, 'file')
    writeFileSync(file, 'x')
    const empty = path.join(folder, 'empty')
    mkdirSync(empty)
    const inside = path.join(folder, 'inside', 'cifar-10-batches-bin')
    mkdirSync(inside, { recursive: true })
    writeFileSync(path.join(inside, 'data_batch_1.bin'), Buffer.alloc(3073))
    const none = { preset: 'demo', set: [] } as const
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /^--data: needs "shapes" or a folder, got ""/],
      [file, /^--data: needs "shapes" or a folder, got/],
      [path.join(folder, 'nowhere'), /^--data: needs "shapes" or a folder, got/],
      ['x'.repeat(5000), /^--data: needs "shapes" or a folder, got/],
      ['a\u0000b', /^--data: needs "shapes" or a folder, got/],
      [empty, /needs CIFAR-10's data_batch_\*\.bin or a folder of images a class, has neither/],
      [path.dirname(inside), /the folder .*cifar-10-batches-bin has CIFAR-10's files/],
    ]
    for (const [data, message] of cases)
      assert.throws(() => configOf({ ...none, data }), { name: 'UserError', message })
    for (const [name, value] of [
      ['data.validationImages', '0'],
      ['data.validationImages', '-1'],
      ['data.imageSize', '7'],
      ['data.trainingImages', '1.5'],
      ['data.trainingSplit', '""'],
      ['data.kind', 'imagenet'],
    ])
      assert.throws(() => configOf({ ...none, data: 'shapes', set: [`${name}=${value}`] }), {
        name: 'UserError',
        message: new RegExp(`^--set ${name}: needs`),
      })
  })
})
