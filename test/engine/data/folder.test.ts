import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { loadFolder, openFolder } from '../../../main/engine/data/folder.ts'
import { noteText } from '../../../shared/data.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { picture } from './cocoCases.ts'

let root: string
before(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-folder-'))))
after(() => fs.rmSync(root, { recursive: true, force: true }))

/** Writes files below a new folder; a number is a picture that no other has, PNG. */
type Content = number | Sharp | string | Buffer
const write = async (name: string, files: Readonly<Record<string, Content>>): Promise<string> => {
  const at = path.join(root, name)
  for (const [file, content] of Object.entries(files)) {
    const full = path.join(at, file)
    fs.mkdirSync(path.dirname(full), { recursive: true })
    if (typeof content === 'number') fs.writeFileSync(full, await picture(content, 12, 12).png().toBuffer())
    else if (typeof content === 'string' || Buffer.isBuffer(content)) fs.writeFileSync(full, content)
    else fs.writeFileSync(full, await content.toBuffer())
  }
  return at
}
const config = (name: string, rest: Partial<DataConfig> = {}): DataConfig => ({
  kind: 'folder',
  path: path.join(root, name),
  validationImages: 1,
  trainingImages: 0,
  imageSize: 8,
  ...rest,
})
const reportOf = async (name: string, rest: Partial<DataConfig> = {}) =>
  (await openFolder(config(name, rest))).report
const notesOf = async (name: string, rest: Partial<DataConfig> = {}): Promise<string[]> =>
  (await reportOf(name, rest)).notes.map(noteText)
const countsOf = async (name: string, rest: Partial<DataConfig> = {}): Promise<string> =>
  (await reportOf(name, rest)).classes.map(({ name, count }) => `${name} ${count}`).join(', ')

/** A gradient, so that no two sizes are the same picture. */
const shaded = (width: number, height: number, [r, g, b]: readonly number[], channels: 3 | 4 = 3): Sharp => {
  const colour = [r!, g!, b!, 128]
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => colour[i % channels]!)
  pixels[0]! ^= width
  return sharp(pixels, { raw: { width, height, channels } })
}

test('JPEG and PNG files of any shape become squares; sub-folders are the classes, by name', async () => {
  await write('good', {
    'red/wide.png': shaded(40, 20, [250, 10, 20]).png(),
    'red/clear.png': shaded(10, 10, [250, 10, 20], 4).png(),
    'blue/tall.JPEG': shaded(16, 30, [10, 20, 250]).jpeg(),
    'blue/small.jpg': shaded(30, 16, [10, 20, 240]).jpeg(),
  })
  const { classes, training, validation } = await loadFolder(config('good'))
  assert.deepEqual(classes, ['blue', 'red'])
  assert.equal(training.count, 3)
  assert.equal(validation.count, 1)
  for (const { images, labels, count } of [training, validation])
    for (let n = 0; n < count; n++) {
      const image = images.subarray(n * 192, (n + 1) * 192)
      const colour = labels[n] === 0 ? [10, 20, 245] : [250, 10, 20]
      // JPEG is lossy, and the first pixels are marked.
      image
        .subarray(96)
        .forEach((value, i) => assert.ok(Math.abs(value - colour[i % 3]!) <= 12, `${value} at ${i}`))
    }
})

test('a grey image has three equal channels', async () => {
  const grey = (value: number): Sharp =>
    sharp(Buffer.alloc(100, value), { raw: { width: 10, height: 10, channels: 1 } })
      .toColourspace('b-w')
      .png()
  await write('grey', { 'a/x.png': grey(77), 'b/x.png': grey(78), 'b/y.png': grey(79) })
  const { training } = await loadFolder(config('grey'))
  for (let i = 0; i < training.images.length; i += 3)
    assert.equal(new Set(training.images.subarray(i, i + 3)).size, 1)
})

test('16 bits, palettes, CMYK, grey with transparency: all become bytes of RGB', async () => {
  const grey = Uint16Array.from({ length: 64 }, () => 77 * 257)
  const red = () => shaded(8, 8, [200, 30, 30])
  await write('coded', {
    'a/deep.png': sharp(grey, { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('grey16')
      .png(),
    'a/grey.png': sharp(Buffer.alloc(128, 99), { raw: { width: 8, height: 8, channels: 2 } })
      .toColourspace('b-w')
      .png(),
    'b/palette.png': red().png({ palette: true }),
    'b/cmyk.jpg': red().toColourspace('cmyk').jpeg({ quality: 100 }),
    'b/plain.png': shaded(8, 8, [10, 10, 10]).png(),
  })
  const { training, validation, report } = await loadFolder(config('coded'))
  assert.deepEqual(report.notes, [])
  const last = [training, validation].flatMap(({ images, labels, count }) =>
    Array.from(
      { length: count },
      (_, n) => `${labels[n]}: ${[...images.subarray((n + 1) * 192 - 3, (n + 1) * 192)]}`,
    ),
  )
  const cmyk = last.find(
    (text) => !['0: 77,77,77', '0: 99,99,99', '1: 200,30,30', '1: 10,10,10'].includes(text),
  )
  assert.equal(last.length, 5)
  // Without a profile CMYK means no exact colour: it must be red.
  const [, r, g, b] = /^1: (\d+),(\d+),(\d+)$/.exec(cmyk!)!.map(Number)
  assert.ok(r! > 150 && g! < 110 && b! < 110, cmyk)
})

test('the middle is what is kept of a long image', async () => {
  const long = (value: number): Sharp => {
    const pixels = Buffer.alloc(24 * 8 * 3)
    for (let i = 0; i < 24 * 8; i++) pixels[3 * i] = i % 24 >= 8 && i % 24 < 16 ? value : 0
    return sharp(pixels, { raw: { width: 24, height: 8, channels: 3 } }).png()
  }
  await write('middle', { 'a/x.png': long(200), 'b/x.png': long(201) })
  const { training } = await loadFolder(config('middle'))
  assert.ok(training.images.every((value, i) => (i % 3 === 0 ? value >= 200 : value === 0)))
})

test('links are followed, nested folders count for their class, every format that is read is read', async () => {
  const at = await write('kinds', {
    'a/1.png': 1,
    'a/2.jpg': picture(2, 12, 12).jpeg(),
    'a/3.webp': picture(3, 12, 12).webp(),
    'a/4.gif': picture(4, 12, 12).gif(),
    'a/5.TIFF': picture(5, 12, 12).tiff(),
    'a/6.avif': picture(6, 12, 12).avif({ effort: 0 }),
    'a/no-extension': picture(7, 12, 12).jpeg(),
    'a/deep/deeper/8.png': 8,
    'elsewhere/9.png': 9,
    'elsewhere/10.png': 10,
  })
  fs.mkdirSync(path.join(at, '..', 'kinds-data'))
  fs.renameSync(path.join(at, 'elsewhere'), path.join(at, '..', 'kinds-data', 'b'))
  fs.symlinkSync('../kinds-data/b', path.join(at, 'b'))
  fs.symlinkSync('../../kinds-data/b/9.png', path.join(at, 'a', 'link.png'))
  fs.symlinkSync('..', path.join(at, 'a', 'deep', 'up'))
  fs.symlinkSync('nowhere', path.join(at, 'a', 'broken.png'))
  assert.equal(await countsOf('kinds'), 'a 9, b 2')
  assert.deepEqual(await notesOf('kinds'), [
    'links that lead nowhere, and what is neither file nor folder: 1 (a/broken.png)',
    'links back to a folder that they lie in: 1 (a/deep/up)',
    'images in nested folders, of the class that they lie in: 1 (a/deep/deeper/8.png)',
    'images that are there in several classes: 1 (b/9.png and a/link.png)',
  ])
})

test('what is no class and no image is left out, said and counted', async () => {
  const torn = (await picture(7, 40, 40).png().toBuffer()).subarray(0, 2000)
  await write('litter', {
    'a/1.png': 1,
    'b/2.png': 2,
    'b/3.png': 3,
    'a/Thumbs.db': 'x',
    'a/.DS_Store': 'x',
    'a/._1.png': 'x',
    '__MACOSX/a/1.png': 4,
    '.ipynb_checkpoints/1.png': 5,
    'a/old.bmp': 'BM...',
    'b/other': 'BM and no name',
    'a/phone.heic': 'x',
    'a/logo.svg': '<svg/>',
    'a/empty.jpg': '',
    'a/page.jpg': '<html>not found</html>',
    'b/torn.png': torn,
    'labels.csv': 'a,b',
    'a/notes.txt': 'x',
    'top.png': 6,
    'b/nothing/here.txt': 'x',
  })
  fs.mkdirSync(path.join(root, 'litter', 'c'))
  assert.equal(await countsOf('litter'), 'a 1, b 2')
  assert.deepEqual(
    (await reportOf('litter')).notes.map(({ what, count }) => `${what}: ${count}`).sort(),
    [
      'hidden files and folders: 5',
      'image files left out, they are empty: 1',
      'images left out, SVG is not read: 1',
      'files that are no images: 3',
      'images left out, BMP is not read: 2',
      'image files left out, they do not decode: 2',
      'images left out, HEIC is not read: 1',
      'folders without images: 2',
      'images outside of the classes’ folders: 1',
    ].sort(),
  )
})

test('a class whose images are all unreadable is left out; with fewer than two classes there is an error', async () => {
  await write('unread', { 'a/1.png': 1, 'b/2.png': 2, 'c/3.jpg': 'nothing', 'd/4.bmp': 'BM' })
  assert.equal(await countsOf('unread'), 'a 1, b 1')
  await write('torn', { 'a/1.png': 1, 'a/2.png': 2, 'b/3.png': Buffer.concat([PNG, Buffer.from('torn')]) })
  await assert.rejects(
    loadFolder(config('torn')),
    /needed readable images of at least 2 classes, got 1; image files left out, they do not decode: 1 \(b.3\.png: /,
  )
  await write('single', { 'a/1.png': 1 })
  await assert.rejects(loadFolder(config('single')), /at least 2 classes, got 1 \(a\)$/)
  await write('wrapped', { 'pictures/a/1.png': 1, 'pictures/b/2.png': 2 })
  await assert.rejects(
    loadFolder(config('wrapped')),
    /got 1 \(pictures\); the folder .*wrapped.pictures has several$/,
  )
  await assert.rejects(loadFolder(config('nowhere')), /nowhere: needed a folder, found none/)
})
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

test('class names that differ by case or by the coding of accents alone are refused, naming both', async () => {
  await write('case', { 'cat/1.png': 1, 'Cat/2.png': 2, 'dog/3.png': 3 })
  await assert.rejects(loadFolder(config('case')), /got "Cat" and "cat"/)
  await write('accents', { 'caf\u00e9/1.png': 1, 'cafe\u0301/2.png': 2, 'dog/3.png': 3 })
  await assert.rejects(loadFolder(config('accents')), /got "cafe\\u0301" and "caf\\u00e9"/)
})

const parts = (extra: Readonly<Record<string, Content>> = {}) => ({
  'train/cat/1.png': 1,
  'train/cat/2.png': 2,
  'train/dog/3.png': 3,
  'val/Cat/4.png': 4,
  'val/dog/5.png': 5,
  ...extra,
})

test('folders train and val hold the classes: one trains, the other validates', async () => {
  await write('parts', parts({ 'test/6.png': 6, 'test/7.png': 7 }))
  const { classes, training, validation, report } = await loadFolder(config('parts', { validationImages: 9 }))
  assert.deepEqual(classes, ['cat', 'dog'])
  assert.deepEqual(
    [training, validation].map(({ labels }) => [...labels].sort()),
    [
      [0, 0, 1],
      [0, 1],
    ],
  )
  assert.equal(report.rule, '3 images of train/ for training, 2 of val/ for validation')
  assert.deepEqual(report.notes.map(noteText), [
    'folders that are not used: 1 (test, 2 images)',
    'classes spelt in two ways: 1 (cat and Cat)',
  ])
  await write('tested', { 'train/a/1.png': 1, 'train/b/2.png': 2, 'test/a/3.png': 3 })
  const held = await reportOf('tested')
  assert.equal(
    held.rule,
    '1 image of train/ for training, 1 held out of it for validation; not used: test (1 image)',
  )
  await write('unknown', parts({ 'val/fox/6.png': 6 }))
  await assert.rejects(
    loadFolder(config('unknown')),
    /the class "fox" is in val, but not in train \(cat, dog\)/,
  )
})

test('where folders could be classes or parts, that is asked, and the answer taken', async () => {
  await write('asked', parts({ 'bird/6.png': 6 }))
  const { report, data } = await openFolder(config('asked'))
  assert.equal(data, null)
  assert.equal(
    report.question,
    'Are the classes in train, val, or is each of the folders train, val, bird a class (".")?',
  )
  assert.deepEqual(
    report.splits.map(({ name, images }) => `${name} ${images}`),
    ['. 6', 'train 3', 'val 2'],
  )
  await assert.rejects(loadFolder(config('asked')), /asked: Are the classes in train, val/)
  assert.equal(await countsOf('asked', { trainingSplit: 'train', validationImages: 9 }), 'cat 3, dog 2')
  assert.equal(await countsOf('asked', { trainingSplit: '.' }), 'bird 1, train 3, val 2')
  await assert.rejects(
    loadFolder(config('asked', { trainingSplit: 'tarin' })),
    /needed for training one of \., train, val, got tarin/,
  )
  // A class called "train", without classes in it, is a class like others.
  await write('vehicles', { 'bus/1.png': 1, 'train/2.png': 2, 'trainer/3.png': 3 })
  assert.equal(await countsOf('vehicles'), 'bus 1, train 1, trainer 1')
})

test('pictures of the validation part are not trained on, whatever their names and formats', async () => {
  await write('leaks', {
    ...parts(),
    'train/dog/copy.png': 5,
    'train/dog/same.tif': picture(4, 12, 12).tiff({ compression: 'lzw' }),
    'train/dog/again.png': 3,
  })
  const { training, report } = await loadFolder(config('leaks', { validationImages: 2, imageSize: 12 }))
  assert.equal(training.count, 4)
  assert.deepEqual(
    report.notes.map(({ what, count }) => `${what}: ${count}`),
    [
      'classes spelt in two ways: 1',
      'training images left out, they are in validation, too: 2',
      'images that are there more than once: 1',
    ],
  )
  await write('same', { 'train/a/1.png': 1, 'train/b/2.png': 2, 'val/a/1.png': 1, 'val/b/2.png': 2 })
  await assert.rejects(
    loadFolder(config('same', { validationImages: 2 })),
    /all 2 training images are in validation, too/,
  )
  // Shrunk on other ways, the JPEG and the PNG made of it differ in the networks' pixels.
  const photo = await picture(1, 64, 64).blur(3).jpeg().toBuffer()
  await write('formats', {
    'train/a/1.png': sharp(photo).png(),
    'train/b/2.png': picture(2, 64, 64).png(),
    'val/a/3.jpg': photo,
  })
  assert.equal((await loadFolder(config('formats'))).training.count, 1)
})

test("a camera's orientation tag is not applied, and that is said", async () => {
  const tall = (seed: number) => picture(seed, 24, 8).withMetadata({ orientation: 6 }).png()
  await write('turned', { 'a/1.png': tall(1), 'b/2.png': picture(2, 24, 8).png() })
  await write('plain', { 'a/1.png': picture(1, 24, 8).png(), 'b/2.png': picture(2, 24, 8).png() })
  const [turned, plain] = [await loadFolder(config('turned')), await loadFolder(config('plain'))]
  assert.deepEqual(turned.training, plain.training)
  assert.deepEqual(turned.validation, plain.validation)
  assert.deepEqual(turned.report.notes.map(noteText), [
    'images whose camera’s orientation tag is not applied: 1 (a/1.png)',
  ])
})

test('a picture is told by its content: SVG is none, whatever its name, nor a bomb of pixels, nor a pipe', async () => {
  const bomb = await picture(1, 8, 8).png().toBuffer()
  bomb.writeUInt32BE(10_001, 16)
  bomb.writeUInt32BE(10_000, 20)
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
  const at = await write('attacked', {
    'a/1.png': 1,
    'b/2.png': 2,
    'b/svg.png': '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" /></svg>',
    'b/bomb.png': bomb,
  })
  execFileSync('mkfifo', [path.join(at, 'b', 'pipe.png')])
  const notes = await notesOf('attacked')
  assert.equal(await countsOf('attacked'), 'a 1, b 1')
  assert.match(notes.join('\n'), /neither file nor folder: 1 \(b.pipe\.png\)/)
  assert.match(notes.join('\n'), /do not decode: 2 \(b.svg\.png, b.bomb\.png: .*pixel limit/)
})

test('what is verified on is the part for tests; without one that is said', async () => {
  const files: Record<string, number> = { 'test/a/t1.png': 90, 'test/b/t2.png': 91, 'test/b/copy.png': 1 }
  for (const [n, name] of ['a', 'b'].entries())
    for (let i = 0; i < 3; i++) {
      files[`train/${name}/${i}.png`] = 10 * n + i
      files[`val/${name}/${i}.png`] = 50 + 10 * n + i
    }
  await write('verified', files)
  const searched = await loadFolder(config('verified', { validationImages: 6 }))
  const { training, validation, report } = await loadFolder(
    config('verified', { validationImages: 6, testImages: 0 }),
  )
  assert.deepEqual([validation.count, searched.training.count, training.count], [3, 6, 5])
  assert.match(
    report.rule,
    /^5 images that a search trains on for training, 3 of test\/, which no search sees/,
  )
  assert.equal((await loadFolder(config('verified', { testImages: 2 }))).validation.count, 2)
  await write('unverified', { 'a/1.png': 1, 'a/2.png': 2, 'b/1.png': 3, 'b/2.png': 4 })
  await assert.rejects(
    loadFolder(config('unverified', { testImages: 0 })),
    /unverified: needed a part test\/ with images that no search sees, found none/,
  )
})
