import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openCoco, type CocoConfig } from '../../../main/engine/data/cocoFolder.ts'
import { maskArea } from '../../../main/engine/metrics/mask.ts'
import { noteText, reportLines } from '../../../shared/data.ts'
import { cocoJson, picture, writeCoco, type CocoJson } from './cocoCases.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-coco-folder-'))
after(() => fs.rmSync(root, { recursive: true }))
let made = 0
const write = (splits: Parameters<typeof writeCoco>[1]): Promise<string> =>
  writeCoco(path.join(root, String(++made)), splits)

const config = (folder: string, rest: Partial<CocoConfig> = {}): CocoConfig => ({
  path: folder,
  trainingImages: 0,
  validationImages: 200,
  ...rest,
})
const open = (folder: string, rest: Partial<CocoConfig> = {}) => openCoco(config(folder, rest))
const changed = (json: CocoJson, change: (json: CocoJson) => unknown): CocoJson => {
  change(json)
  return json
}
const train = () => cocoJson([1, 2, 3, 4])
const val = () => cocoJson([50, 51])
const namesOf = async (folder: string): Promise<string[][]> => {
  const { categories, validation } = (await open(folder)).data!
  return validation.map((image) => image.instances().map(({ category }) => categories[category]!))
}

test('what trains and what validates is said with names and counts, which are not the settings', async () => {
  const { report, data } = await open(await write({ train2017: train(), val2017: val() }))
  assert.equal(
    report.rule,
    '4 images of instances_train2017.json for training, 2 of instances_val2017.json for validation, by their names',
  )
  assert.deepEqual([report.trainingImages, report.validationImages], [4, 2])
  assert.deepEqual(
    [data!.training, data!.validation].map((images) => images.map(({ id }) => id)),
    [
      [1, 2, 3, 4],
      [50, 51],
    ],
  )
  assert.deepEqual(
    report.classes.map(({ name, count }) => `${name} ${count}`),
    ['cat 4', 'dog 4', 'fox 4'],
  )
  assert.deepEqual(report.notes, [])
})

test('a validation file with a subset of the categories means the same ones', async () => {
  const folder = await write({
    train: train(),
    val: changed(val(), (json) => {
      json.categories.shift()
      json.annotations = json.annotations.filter(({ category_id }) => category_id !== 1)
    }),
  })
  assert.deepEqual(await namesOf(folder), [['fox'], ['dog']])
})

test('categories that two files number differently are refused, naming both', async () => {
  const named = (names: string[]) =>
    changed(val(), (json) => names.forEach((name, i) => (json.categories[i]!.name = name)))
  await assert.rejects(
    open(await write({ train: train(), val: named(['fox', 'cat', 'dog']) })),
    /^Error: coco: category 1 is "cat" in instances_train\.json, but "fox" in instances_val\.json$/,
  )
  const renumbered = changed(val(), (json) => {
    json.categories[1]!.id = 7
    for (const annotation of json.annotations) if (annotation.category_id === 2) annotation.category_id = 7
  })
  await assert.rejects(
    open(await write({ train: train(), val: renumbered })),
    /category "dog" is 2 in instances_train\.json, but 7 in instances_val\.json/,
  )
})

test('one category id twice is refused, a byte-order mark is skipped', async () => {
  const twice = changed(train(), (json) => json.categories.push({ id: 2, name: 'horse' }))
  await assert.rejects(
    open(await write({ train: twice, val: val() })),
    /category 2: needed an id of its own, got it twice, as dog and as horse/,
  )
  const marked = { json: train(), text: `\uFEFF${JSON.stringify(train())}` }
  assert.equal((await open(await write({ train: marked, val: val() }))).report.trainingImages, 4)
  const wide = await write({ train: train(), val: val() })
  fs.writeFileSync(
    path.join(wide, 'annotations/instances_train.json'),
    `\uFEFF${JSON.stringify(train())}`,
    'utf16le',
  )
  await assert.rejects(open(wide), /instances_train\.json: needed text in UTF-8, got UTF-16/)
})

test('several files for training are asked about; the answer is taken, and kept out of the other part', async () => {
  const folder = await write({ train2014: cocoJson([9]), train2017: train(), val: val() })
  const asked = await open(folder)
  assert.equal(asked.data, null)
  assert.equal(asked.report.question, 'Which part is for training: train2014, train2017?')
  assert.deepEqual(
    asked.report.splits.map(({ name, images }) => `${name} ${images}`),
    ['train2014 1', 'train2017 4', 'val 2'],
  )
  const { report } = await open(folder, { trainingSplit: 'train2017' })
  assert.equal(report.question, null)
  assert.equal(
    report.rule,
    '4 images of instances_train2017.json for training, 2 of instances_val.json for validation, as chosen; ' +
      'not used: train2014 (1 image)',
  )
  const held = await open(folder, {
    trainingSplit: 'train2017',
    validationSplit: 'train2017',
    validationImages: 1,
  })
  assert.equal(
    held.report.rule,
    '3 images of instances_train2017.json for training, 1 held out of it for validation, ' +
      'as chosen; not used: train2014 (1 image), val (2 images)',
  )
  await assert.rejects(
    open(folder, { trainingSplit: 'trian' }),
    /needed for training one of train2014, train2017, val, got trian/,
  )
})

test('without a file for validation its images are held out, whatever the file is called', async () => {
  for (const name of ['train', 'default', 'val']) {
    const folder = await write({ [name]: train(), test: val() })
    const choice = name === 'val' ? { trainingSplit: 'val' } : {}
    const { data } = await open(folder, { validationImages: 1, ...choice })
    const [trained, validated] = [data!.training, data!.validation].map((images) =>
      images.map(({ id }) => id),
    )
    assert.equal(validated!.length, 1, name)
    assert.deepEqual([...trained!, ...validated!].sort(), [1, 2, 3, 4], name)
    await assert.rejects(open(folder, choice), /200 validation images held out leave none of 4 for training/)
  }
})

test('a picture that is in both parts, whatever its name and format, is not trained on', async () => {
  const folder = await write({ train: train(), val: val() })
  fs.copyFileSync(path.join(folder, 'val/50.png'), path.join(folder, 'train/2.png'))
  fs.rmSync(path.join(folder, 'train/3.png'))
  await picture(51).tiff({ compression: 'lzw' }).toFile(path.join(folder, 'train/3.png'))
  fs.rmSync(path.join(folder, 'train/4.png'))
  fs.symlinkSync('../val/51.png', path.join(folder, 'train/4.png'))
  const { data, report } = await open(folder)
  assert.deepEqual(
    data!.training.map(({ id }) => id),
    [1],
  )
  assert.equal(report.trainingImages, 1)
  assert.deepEqual(report.notes.map(noteText), [
    'training images left out, they are in validation, too: 3 (2.png, 3.png, 4.png)',
    'categories that validation has and training has not: 1 (cat)',
  ])
  const same = await write({ train: val(), val: val() })
  await assert.rejects(open(same), /all 2 training images are in validation, too/)
})

test('boxes are cut to their image, objects with nothing left are dropped and counted', async () => {
  const outline = (x: number, right: number) => [[x, 10, right, 10, right, 40, x, 40]]
  const json = changed(train(), ({ annotations: [left, right, none, sliver] }) => {
    Object.assign(left!, { bbox: [-20, 10, 52, 30], segmentation: outline(-20, 32) })
    Object.assign(right!, { bbox: [70, -5, 24, 45], segmentation: outline(70, 94) })
    Object.assign(none!, { bbox: [100, 10, 24, 30], segmentation: outline(100, 124) })
    Object.assign(sliver!, { segmentation: [[10, 10, 10.1, 10, 10.1, 10.1]] })
  })
  const { data, report } = await open(await write({ train: json, val: val() }))
  const [first, second] = data!.training
  assert.deepEqual(
    first!.instances().map(({ box, mask }) => [box, maskArea(mask)]),
    // pycocotools: area(frPyObjects([[-20, 10, 32, 10, 32, 40, -20, 40]], 64, 80)) is 32 · 30, the other one's 10 · 30.
    [
      [[0, 10, 32, 30], 960],
      [[70, 0, 10, 40], 300],
    ],
  )
  assert.deepEqual(second!.instances(), [])
  assert.deepEqual(reportLines(report).slice(2), [
    "boxes cut off at the image's edge: 2 (annotation 10 of image 1 in instances_train.json, annotation 11 of image 1 in instances_train.json)",
    'objects left out, their boxes hold nothing of the image: 1 (annotation 20 of image 2 in instances_train.json)',
    'objects left out, their masks hold no pixel of the image: 1 (annotation 21 of image 2 in instances_train.json)',
  ])
})

test('faults show when the folder is opened, in files that are used alone', async () => {
  const four = changed(train(), (json) => (json.annotations[5]!.segmentation = [[1, 2, 3, 4]]))
  await assert.rejects(
    open(await write({ train: four, val: val() })),
    /image 3, annotation 31: .*3 or more points .* got 4/,
  )
  const torn = await write({ train: train(), val: val() })
  const file = path.join(torn, 'val/51.png')
  fs.writeFileSync(file, fs.readFileSync(file).subarray(0, 500))
  await assert.rejects(open(torn), /51\.png: image 51: needed an image, got what does not decode \([^\n]+\)$/)
  const unused = await write({ train: train(), val: val(), extra: four })
  const { report } = await open(unused, { validationSplit: 'val' })
  assert.match(report.rule, /as chosen; not used: extra \(4 images\)$/)
  fs.rmSync(path.join(unused, 'val'), { recursive: true })
  await assert.rejects(open(unused, { validationSplit: 'val' }), /needed the images of val in .*val$/)
  const tall = changed(train(), (json) => (json.images[0]!.height = 1e9))
  await assert.rejects(
    open(await write({ train: tall, val: val() })),
    /image 1: height: needed at most 65535 pixels/,
  )
})

test("a camera's orientation tag is not applied: a size annotated as turned is refused, and why", async () => {
  const folder = await write({ train: train(), val: val() })
  const file = path.join(folder, 'train/1.png')
  fs.rmSync(file)
  await picture(1).jpeg().withMetadata({ orientation: 6 }).toFile(file)
  assert.equal((await open(folder)).report.trainingImages, 4)
  const turned = changed(train(), (json) => {
    Object.assign(json.images[0]!, { height: 80, width: 64 })
  })
  fs.writeFileSync(path.join(folder, 'annotations/instances_train.json'), JSON.stringify(turned))
  await assert.rejects(open(folder), /1\.png: image 1: needed 80×64 as annotated, got 64×80; .* camera's tag/)
})

const CASES = fileURLToPath(new URL('../../../../shared/cases', import.meta.url))
const EXPECTED: Readonly<Record<string, string | RegExp>> = {
  valcats: '4, 2',
  valnames: /category 1 is "cat" in instances_train\.json, but "fox" in instances_val\.json/,
  years: 'Which part is for training: train2014, train2017?',
  bboxout: '4, 2; objects left out, their boxes hold nothing of the image: 1',
  bboxneg: "4, 2; boxes cut off at the image's edge: 1",
  dupcat: /category 2: needed an id of its own/,
  bom: '4, 2',
}
for (const [name, wanted] of Object.entries(EXPECTED)) {
  const folder = path.join(CASES, name)
  test(`the case ${name}`, { skip: !fs.existsSync(folder) && `no ${folder}` }, async () => {
    if (wanted instanceof RegExp) return assert.rejects(open(folder), wanted)
    const { question, trainingImages, validationImages, notes } = (await open(folder)).report
    const counts = [
      `${trainingImages}, ${validationImages}`,
      ...notes.map(({ what, count }) => `${what}: ${count}`),
    ]
    assert.equal(question ?? counts.join('; '), wanted)
  })
}
