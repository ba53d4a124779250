import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { loadFolder } from '../../../main/engine/data/folder.ts'
import { describeData } from '../../../main/engine/data/index.ts'
import type { DataConfig } from '../../../shared/records.ts'

let root: string
before(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-folder-'))))
after(() => fs.rmSync(root, { recursive: true, force: true }))

type Colour = { r: number; g: number; b: number; alpha?: number }
const picture = (file: string, width: number, height: number, background: Colour): Promise<unknown> => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const channels = background.alpha === undefined ? 3 : 4
  return sharp({ create: { width, height, channels, background } }).toFile(file)
}
const config = (name: string): DataConfig => ({
  kind: 'folder',
  path: path.join(root, name),
  validationImages: 1,
  trainingImages: 0,
  imageSize: 8,
})

test('JPEG and PNG files of any shape become squares; sub-folders are the classes, by name', async () => {
  const at = path.join(root, 'good')
  await picture(path.join(at, 'red', 'wide.png'), 40, 20, { r: 250, g: 10, b: 20 })
  await picture(path.join(at, 'red', 'clear.png'), 10, 10, { r: 250, g: 10, b: 20, alpha: 0.5 })
  await picture(path.join(at, 'blue', 'tall.JPEG'), 16, 30, { r: 10, g: 20, b: 250 })
  await picture(path.join(at, 'blue', 'small.jpg'), 3, 3, { r: 10, g: 20, b: 250 })
  fs.writeFileSync(path.join(at, 'red', 'notes.txt'), 'not an image')
  fs.writeFileSync(path.join(at, 'README'), 'not a class')
  assert.deepEqual(describeData(config('good')).classes, ['blue', 'red'])
  const { training, validation } = await loadFolder(config('good'))
  assert.equal(training.count, 3)
  assert.equal(validation.count, 1)
  for (const { images, labels, count } of [training, validation])
    for (let n = 0; n < count; n++) {
      const image = images.subarray(n * 192, (n + 1) * 192)
      const colour = labels[n] === 0 ? [10, 20, 250] : [250, 10, 20]
      // JPEG is lossy.
      image.forEach((value, i) => assert.ok(Math.abs(value - colour[i % 3]!) <= 6, `${value} at ${i}`))
    }
})

test('a grey image has three equal channels', async () => {
  const at = path.join(root, 'grey')
  for (const name of ['a', 'b']) {
    fs.mkdirSync(path.join(at, name), { recursive: true })
    await sharp(Buffer.alloc(100, 77), { raw: { width: 10, height: 10, channels: 1 } })
      .toColourspace('b-w')
      .toFile(path.join(at, name, 'x.png'))
  }
  const { training } = await loadFolder(config('grey'))
  assert.ok(training.images.every((value) => value === 77))
})

test('the middle is what is kept of a long image', async () => {
  const at = path.join(root, 'middle')
  for (const name of ['a', 'b']) {
    fs.mkdirSync(path.join(at, name), { recursive: true })
    const pixels = Buffer.alloc(24 * 8 * 3)
    for (let i = 0; i < 24 * 8; i++) pixels[3 * i] = i % 24 >= 8 && i % 24 < 16 ? 200 : 0
    await sharp(pixels, { raw: { width: 24, height: 8, channels: 3 } }).toFile(path.join(at, name, 'x.png'))
  }
  const { training } = await loadFolder(config('middle'))
  assert.ok(training.images.every((value, i) => value === (i % 3 === 0 ? 200 : 0)))
})

test('a file that is no image is named', async () => {
  const at = path.join(root, 'torn')
  await picture(path.join(at, 'a', 'fine.png'), 8, 8, { r: 1, g: 2, b: 3 })
  fs.mkdirSync(path.join(at, 'b'))
  fs.writeFileSync(path.join(at, 'b', 'broken.jpg'), 'not a JPEG')
  await assert.rejects(loadFolder(config('torn')), /torn.b.broken\.jpg: not a readable image \(/)
})

test('one class, a class without images and a missing folder are errors', async () => {
  await picture(path.join(root, 'single', 'a', 'x.png'), 8, 8, { r: 1, g: 2, b: 3 })
  assert.throws(() => describeData(config('single')), /at least 2 classes, got 1/)
  await picture(path.join(root, 'hollow', 'a', 'x.png'), 8, 8, { r: 1, g: 2, b: 3 })
  fs.mkdirSync(path.join(root, 'hollow', 'b'))
  assert.throws(() => describeData(config('hollow')), /hollow.b: needed JPEG or PNG files, found none/)
  assert.throws(() => describeData(config('nowhere')), /needed a folder, found nothing at .*nowhere/)
})

test('a picture is told by its content: SVG is none, whatever its name; a bomb of pixels is refused', async () => {
  const at = path.join(root, 'svg')
  await picture(path.join(at, 'a', 'x.png'), 8, 8, { r: 1, g: 2, b: 3 })
  await picture(path.join(at, 'b', 'x.png'), 8, 8, { r: 1, g: 2, b: 3 })
  const attacked = path.join(at, 'b', 'y.png')
  fs.writeFileSync(
    attacked,
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" /></svg>',
  )
  await assert.rejects(loadFolder(config('svg')), {
    message: /y\.png: not a readable image \(.*unsupported image/,
  })
  const bomb = fs.readFileSync(path.join(at, 'a', 'x.png'))
  bomb.writeUInt32BE(10_001, 16)
  bomb.writeUInt32BE(10_000, 20)
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
  fs.writeFileSync(attacked, bomb)
  await assert.rejects(loadFolder(config('svg')), { message: /y\.png: not a readable image \(.*pixel limit/ })
  fs.rmSync(attacked)
  execFileSync('mkfifo', [attacked])
  await assert.rejects(loadFolder(config('svg')), { message: /y\.png: needed a file, got a pipe$/ })
})
