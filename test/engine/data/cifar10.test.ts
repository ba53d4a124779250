import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadCifar10, readCifar10 } from '../../../main/engine/data/cifar10.ts'
import { checkData, loadData } from '../../../main/engine/data/index.ts'
import type { DataConfig } from '../../../shared/records.ts'

const RECORD = 3073
const REAL = fileURLToPath(new URL('../../../../shared/data/cifar-10-batches-bin', import.meta.url))
let root: string
before(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-cifar-'))))
after(() => fs.rmSync(root, { recursive: true, force: true }))

/** Record n has label n mod 10, a red plane of n, a green one of its pixels' numbers mod 256, a blue one of 7. */
const records = (first: number, count: number): Buffer => {
  const bytes = Buffer.alloc(count * RECORD)
  for (let i = 0; i < count; i++) {
    const n = first + i
    bytes[i * RECORD] = n % 10
    bytes.fill(n, i * RECORD + 1, i * RECORD + 1025)
    for (let p = 0; p < 1024; p++) bytes[i * RECORD + 1025 + p] = p % 256
    bytes.fill(7, i * RECORD + 2049, (i + 1) * RECORD)
  }
  return bytes
}
const folder = (name: string, files: Record<string, Buffer | string>): DataConfig => {
  const at = path.join(root, name)
  fs.mkdirSync(at)
  for (const [file, bytes] of Object.entries(files)) fs.writeFileSync(path.join(at, file), bytes)
  return { kind: 'cifar10', path: at, validationImages: 4, trainingImages: 0, imageSize: 32 }
}
const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail('nothing was thrown')
}

test('planes become interleaved RGB, labels are kept', () => {
  const { path: at } = folder('planes', { 'data_batch_1.bin': records(3, 2) })
  const { images, labels, count } = readCifar10(path.join(at!, 'data_batch_1.bin'))
  assert.equal(count, 2)
  assert.deepEqual([...labels], [3, 4])
  assert.deepEqual([...images.subarray(3072, 3078)], [4, 0, 7, 4, 1, 7])
  assert.deepEqual([...images.subarray(6144 - 3)], [4, 255, 7])
})

test('any number of training files is taken; the test file is not', () => {
  const one = folder('one', { 'data_batch_1.bin': records(0, 6) })
  const three = folder('three', {
    'data_batch_1.bin': records(0, 6),
    'data_batch_2.bin': records(6, 6),
    'data_batch_7.bin': records(12, 1),
    'test_batch.bin': records(100, 5),
  })
  assert.equal(loadCifar10(one).report.trainingImages, 2)
  assert.match(
    loadCifar10(three).report.rule,
    /^9 images of data_batch_1\.bin, data_batch_2\.bin, data_batch_7\.bin for training, 4 held out of them/,
  )
  const { training, validation } = loadCifar10(three)
  const seen = [...training.images, ...validation.images].filter((_, i) => i % 3072 === 0)
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    [...Array(13).keys()],
  )
})

test('the held-out images are the same whatever the number of training images used', () => {
  const config = folder('held-out', { 'data_batch_1.bin': records(0, 20) })
  const all = loadCifar10(config)
  const few = loadCifar10({ ...config, trainingImages: 5 })
  assert.equal(all.validation.count, 4)
  assert.deepEqual(few.validation, all.validation)
  assert.equal(all.training.count, 16)
  assert.equal(few.training.count, 5)
  assert.deepEqual(few.training.labels, all.training.labels.subarray(0, 5))
})

test('class names come from batches.meta.txt where there is one', () => {
  const names = 'a b c d e f g h i j'
  const named = folder('named', { 'data_batch_1.bin': records(0, 6), 'batches.meta.txt': `${names}\n\n` })
  assert.deepEqual(loadCifar10(named).classes, names.split(' '))
  assert.deepEqual(
    loadCifar10(named).report.classes.map(({ count }) => count),
    [1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  )
  const wrong = folder('misnamed', { 'data_batch_1.bin': records(0, 6), 'batches.meta.txt': 'a b' })
  assert.match(
    messageOf(() => loadCifar10(wrong)),
    /batches\.meta\.txt: needed 10 class names, got 2/,
  )
})

test('a smaller image size averages areas', () => {
  const config = folder('small', { 'data_batch_1.bin': records(0, 6) })
  const { training, validation } = loadCifar10({ ...config, imageSize: 16 })
  assert.equal(training.images.length, 2 * 16 * 16 * 3)
  // The first 2×2 green block holds 0, 1, 32, 33.
  assert.deepEqual([...validation.images.subarray(1, 3)], [Math.round(66 / 4), 7])
  assert.match(
    messageOf(() => loadCifar10({ ...config, imageSize: 20 })),
    /side 32 .* got 20/,
  )
})

test('a truncated file is named with offset, needed and got', () => {
  const config = folder('truncated', { 'data_batch_1.bin': records(0, 3).subarray(0, 2 * RECORD + 100) })
  const expected = /data_batch_1\.bin, offset 6146: needed a record of 3073 bytes, got 100/
  assert.match(
    messageOf(() => loadCifar10(config)),
    expected,
  )
  assert.match(
    messageOf(() => loadCifar10(config)),
    expected,
  )
})

test('an empty file and a foreign file are errors', () => {
  const empty = folder('empty-file', { 'data_batch_1.bin': '' })
  assert.match(
    messageOf(() => loadCifar10(empty)),
    /offset 0: needed a record of 3073 bytes, got 0/,
  )
  const foreign = folder('foreign', { 'data_batch_1.bin': 'PK\u0003\u0004 not CIFAR' })
  assert.match(
    messageOf(() => loadCifar10(foreign)),
    /offset 0: needed a record of 3073 bytes, got 14/,
  )
})

test('a wrong label is named with its offset', () => {
  const bytes = records(0, 3)
  bytes[RECORD] = 10
  const config = folder('label', { 'data_batch_1.bin': bytes })
  assert.match(
    messageOf(() => loadCifar10(config)),
    /bin, offset 3073: needed a label from 0 to 9, got 10/,
  )
})

test('an empty folder, a missing one and one not named are errors', async () => {
  const empty = folder('empty', {})
  assert.match(
    messageOf(() => loadCifar10(empty)),
    /needed data_batch_\*\.bin files in .*empty, found none/,
  )
  const missing = { ...empty, path: path.join(root, 'nowhere') }
  assert.match(
    messageOf(() => loadCifar10(missing)),
    /nowhere: needed a folder, found none/,
  )
  const unnamed = { ...empty, path: undefined }
  await assert.rejects(checkData(unnamed), /cifar10 needs the path of a folder/)
})

test('validation images that leave none for training are an error', () => {
  const config = folder('greedy', { 'data_batch_1.bin': records(0, 4) })
  assert.match(
    messageOf(() => loadCifar10(config)),
    /4 validation images leave none of 4/,
  )
})

test('a batch that is there twice, under another name, is not trained on where it validates', () => {
  const batch = records(0, 20)
  const config = folder('twice', { 'data_batch_1.bin': batch, 'data_batch_1 (1).bin': batch })
  const { training, validation, report } = loadCifar10(config)
  const numbers = ({ images, count }: typeof training) =>
    Array.from({ length: count }, (_, n) => images[n * 3072]!)
  const held = new Set(numbers(validation))
  assert.ok(numbers(training).every((number) => !held.has(number)))
  assert.equal(validation.count, 4)
  // Each copy of a held-out image; where both copies are held out there is none to leave out.
  assert.equal(training.count, 2 * (20 - held.size))
  assert.deepEqual(
    report.notes.map(({ what, count }) => `${what}: ${count}`),
    [
      `training images left out, they are in validation, too: ${36 - training.count}`,
      `images that are there more than once: ${20 - held.size + (4 - held.size)}`,
    ],
  )
  assert.match(report.notes[0]!.examples[0]!, /^record \d+ of data_batch_1( \(1\))?\.bin$/)
})

test('the Python version is named as what it is, the test file as not used', () => {
  const python = folder('python', { data_batch_1: 'pickle' })
  assert.match(
    messageOf(() => loadCifar10(python)),
    /found none but the Python version/,
  )
  const tested = folder('tested', { 'data_batch_1.bin': records(0, 6), 'test_batch.bin': records(0, 6) })
  assert.deepEqual(loadCifar10(tested).report.notes, [
    { what: 'files that are not used', count: 1, examples: ['test_batch.bin'] },
  ])
})

test(
  'the real CIFAR-10 files read, with all classes about equally often in the split',
  { skip: fs.existsSync(REAL) ? false : `no ${REAL}` },
  async () => {
    const config = { kind: 'cifar10', path: REAL, validationImages: 2000, trainingImages: 0 } as const
    const { classes, training, validation, report } = await loadData({ ...config, imageSize: 32 })
    assert.equal(classes[9], 'truck')
    const copies = report.notes.find(({ what }) => what.startsWith('training images left out'))?.count ?? 0
    assert.equal((training.count + copies + validation.count) % 10_000, 0)
    assert.ok(copies < 20, `${copies}`)
    for (let label = 0; label < 10; label++) {
      const share = validation.labels.filter((other) => other === label).length / 2000
      assert.ok(share > 0.08 && share < 0.12, `${classes[label]}: ${share}`)
    }
  },
)

test('what is verified on is the test batch: training is the search’s, less copies of test images', async () => {
  const searched = folder('verified', {
    'data_batch_1.bin': records(0, 12),
    'test_batch.bin': Buffer.concat([records(100, 5), records(3, 1)]),
  })
  const config = { ...searched, testImages: 0 }
  const [search, { training, validation, report }] = [loadCifar10(searched), loadCifar10(config)]
  // A record's red plane is its number.
  const numbers = (set: { images: Uint8Array; count: number }): number[] =>
    Array.from({ length: set.count }, (_, i) => set.images[i * 3072]!)
  assert.deepEqual(numbers(validation), [100, 101, 102, 103, 104, 3])
  assert.ok(numbers(search.training).includes(3), 'the copy is in the search’s training part')
  assert.deepEqual(
    numbers(training),
    numbers(search.training).filter((n) => n !== 3),
  )
  assert.equal(
    report.rule,
    '7 images of data_batch_1.bin for training, 6 of test_batch.bin, which no search sees, to measure on',
  )
  assert.equal(loadCifar10({ ...searched, testImages: 2 }).validation.count, 2)
  const none = folder('unverified', { 'data_batch_1.bin': records(0, 12) })
  assert.match(
    messageOf(() => loadCifar10({ ...none, testImages: 0 })),
    /^CIFAR-10: needed test_batch\.bin in .*unverified, images that no search sees, found none$/,
  )
})
