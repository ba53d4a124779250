import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { readCoco, type CocoImages } from '../../../main/engine/data/coco.ts'
import { cocoSplits } from '../../../main/engine/data/cocoFolder.ts'
import { maskOfOutline, outlineBytes, outlineOf } from '../../../main/engine/data/outline.ts'
import { countsText, decodeMask, maskArea, numbersText } from '../../../main/engine/metrics/mask.ts'
import { gridMask, onGrid, polygonMask } from '../../../main/engine/metrics/polygon.ts'
import { createRandom } from '../../../shared/random.ts'
import { fnv } from '../../reference/portable.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-coco-'))
after(() => fs.rmSync(folder, { recursive: true }))

const images = path.join(folder, 'tiny')
fs.mkdirSync(images)
fs.mkdirSync(path.join(folder, 'annotations'))
const solid = (channels: 3 | 4, background: { r: number; g: number; b: number; alpha?: number }) =>
  sharp({ create: { width: 6, height: 4, channels, background } })
await solid(3, { r: 200, g: 100, b: 50 })
  .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
  .toFile(path.join(images, 'red.jpg'))
await solid(3, { r: 90, g: 90, b: 90 })
  .greyscale()
  .toColourspace('b-w')
  .png()
  .toFile(path.join(images, 'grey.png'))
fs.writeFileSync(path.join(images, 'broken.jpg'), 'no picture')

const GOOD = {
  categories: [
    { id: 18, name: 'dog' },
    { id: 3, name: 'car' },
  ],
  images: [
    { id: 7, file_name: 'red.jpg', height: 4, width: 6 },
    { id: 5, file_name: 'grey.png', height: 4, width: 6 },
    { id: 9, file_name: 'broken.jpg', height: 4, width: 6 },
  ],
  annotations: [
    {
      id: 1,
      image_id: 7,
      category_id: 18,
      bbox: [1, 1, 2, 2],
      area: 4,
      iscrowd: 0,
      segmentation: [[1, 1, 3, 1, 3, 3, 1, 3]],
    },
    {
      id: 2,
      image_id: 7,
      category_id: 3,
      bbox: [0, 0, 1, 4],
      area: 4,
      iscrowd: 1,
      segmentation: { size: [4, 6], counts: [0, 4, 20] },
    },
    {
      id: 3,
      image_id: 5,
      category_id: 3,
      bbox: [0, 0, 6, 4],
      area: 24,
      segmentation: { size: [4, 6], counts: '0h0' },
    },
  ],
}
const split = { name: 'tiny', annotations: path.join(folder, 'annotations', 'instances_tiny.json'), images }
/** The split with its annotations changed, or replaced by a text. */
const read = (
  change: string | ((json: typeof GOOD) => unknown) = () => undefined,
  whole?: number,
): Promise<CocoImages> => {
  const json = structuredClone(GOOD)
  if (typeof change === 'function') change(json)
  fs.writeFileSync(split.annotations, typeof change === 'string' ? change : JSON.stringify(json))
  return readCoco(split, whole === undefined ? {} : { whole })
}

test('categories are numbered from 0 in the order of their ids, objects sit with their images', async () => {
  const set = await read()
  assert.deepEqual(set.categories, ['car', 'dog'])
  assert.deepEqual(
    set.images.map(({ id }) => id),
    [7, 5, 9],
  )
  const [dog, cars] = set.images[0]!.instances()
  assert.deepEqual([dog!.category, dog!.crowd, dog!.box, dog!.area], [1, false, [1, 1, 2, 2], 4])
  assert.deepEqual([cars!.category, cars!.crowd], [0, true])
  assert.deepEqual(set.images[2]!.instances(), [])
})

test('polygons, plain and compressed run lengths become masks', async () => {
  const [first, second] = (await read()).images.map((image) => image.instances())
  const rows = (mask: Uint8Array) =>
    Array.from({ length: 4 }, (_, y) => mask.slice(6 * y, 6 * y + 6).join(''))
  assert.deepEqual(rows(decodeMask(first![0]!.mask)), ['000000', '011000', '011000', '000000'])
  assert.deepEqual(rows(decodeMask(first![1]!.mask)), ['100000', '100000', '100000', '100000'])
  assert.equal(maskArea(second![0]!.mask), 24)
})

test('JPEG and grey PNG decode to RGB of the annotated size, or another', async () => {
  const [red, grey] = (await read()).images
  const pixels = await red!.pixels()
  assert.equal(pixels.length, 4 * 6 * 3)
  for (const [i, wanted] of [200, 100, 50].entries()) assert.ok(Math.abs(pixels[i]! - wanted) <= 2)
  assert.deepEqual([...(await grey!.pixels(2, 3))], Array<number>(18).fill(90))
})

test('a picture that does not decode, or of another size, is named', async () => {
  const [, , broken] = (await read()).images
  await assert.rejects(
    broken!.pixels(),
    /broken\.jpg: image 9: needed an image, got what does not decode \([^\n]+\)$/,
  )
  const set = await read((json) => {
    json.images[0]!.height = 5
    json.annotations = []
  })
  await assert.rejects(set.images[0]!.pixels(), /red\.jpg: image 7: needed 5×6 as annotated, got 4×6/)
})

/** All of it as it is read, whether in one piece or as a stream. */
for (const [how, whole] of [['in one piece', undefined] as const, ['as a stream', 0] as const])
  test(`what is wrong in the annotations is said with file, place, needed and got: read ${how}`, async () => {
    const refused = (change: Parameters<typeof read>[0], message: RegExp): Promise<void> =>
      assert.rejects(
        read(change, whole),
        (error: Error) =>
          error.message.startsWith(`coco: ${split.annotations}: `) && message.test(error.message),
      )
    await refused('{"images": [', /needed JSON/)
    await refused(
      '[]',
      whole === 0 ? /categories: needed a list, got nothing/ : /the file: needed an object, got \[\]/,
    )
    await refused('{"categories": [], "images": []}', /annotations: needed a list, got nothing/)
    await refused((json) => (json.images[1]!.id = 7), /image 7: needed an id of its own/)
    await refused(
      (json) => (json.images[1]!.file_name = 'gone.png'),
      /image 5: needed the file .*gone\.png, got none/,
    )
    await refused(
      (json) => (json.images[1]!.file_name = '../x.png'),
      /image 5: needed a file inside .*got \.\.\/x\.png/,
    )
    await refused(
      (json) => (json.images[1]!.width = 0),
      /image 5: width: needed a positive whole number, got 0/,
    )
    await refused(
      (json) => (json.annotations[0]!.image_id = 8),
      /annotation 1: needed the id of an image, got 8/,
    )
    await refused(
      (json) => (json.annotations[0]!.category_id = 4),
      /annotation 1: needed the id of a category, got 4/,
    )
    await refused(
      (json) => json.annotations[0]!.bbox.pop(),
      /image 7, annotation 1: bbox: needed \[x, y, width, height\]/,
    )
    await refused((json) => (json.annotations[0]!.iscrowd = 2), /annotation 1: iscrowd: needed 0 or 1, got 2/)
    await refused(
      (json) => (json.annotations[0]!.segmentation = [[1, 2, 3, 4]]),
      /annotation 1: .*3 or more points .* got 4 numbers/,
    )
    await refused((json) => (json.annotations[0]!.segmentation = []), /annotation 1: .*at least one mask/)
    await refused(
      (json) => (json.annotations[1]!.segmentation = { size: [4, 6], counts: [0, 5] }),
      /annotation 2: .*fill 4×6 = 24 pixels, fill 5/,
    )
    await refused(
      (json) => (json.annotations[1]!.segmentation = { size: [6, 4], counts: [24] }),
      /annotation 2: segmentation.size: needed the image's \[4, 6\], got \[6,4\]/,
    )
  })

test('splits are found by their files; a folder without any says what it needs', () => {
  void read()
  assert.deepEqual(cocoSplits(folder), [split])
  assert.throws(() => cocoSplits(images), /needed annotations\/instances_<split>\.json, found none/)
})

const TINY = fileURLToPath(new URL('../../../../shared/data/coco-tiny', import.meta.url))
type Reference = {
  images: number
  annotations: number
  crowds: number
  pixels: number
  masks: string
  mean: number[]
}

test(
  'the masks of real images equal those of pycocotools',
  { skip: !fs.existsSync(TINY) && 'no coco-tiny' },
  async () => {
    const reference = JSON.parse(
      fs.readFileSync(new URL('../../reference/coco_tiny.json', import.meta.url), 'utf8'),
    ) as Record<string, Reference>
    for (const real of cocoSplits(TINY)) {
      const set = await readCoco(real)
      const wanted = reference[real.name]!
      const instances = set.images.flatMap((image) => image.instances())
      // The reference goes through the annotations in the order of the file.
      const order = (JSON.parse(fs.readFileSync(real.annotations, 'utf8')) as typeof GOOD).annotations
      const place = new Map(order.map(({ id }, i) => [id, i]))
      instances.sort((a, b) => place.get(a.id)! - place.get(b.id)!)
      assert.equal(fnv(instances.map(({ mask }) => countsText(mask)).join('')), wanted.masks)
      const { images: count, annotations, crowds, pixels } = wanted
      assert.deepEqual(
        [
          set.images.length,
          instances.length,
          instances.filter(({ crowd }) => crowd).length,
          set.categories.length,
        ],
        [count, annotations, crowds, 80],
      )
      assert.equal(
        instances.reduce((sum, { mask }) => sum + maskArea(mask), 0),
        pixels,
      )

      const bytes = await set.images[0]!.pixels()
      wanted.mean.forEach((mean, c) => {
        const got = bytes.reduce((sum, v, i) => (i % 3 === c ? sum + v : sum), 0) / (bytes.length / 3)
        assert.ok(Math.abs(got - mean) < 0.5, `${real.name}: channel ${c}: ${got}, not ${mean}`)
      })
    }
  },
)

/** Values that nobody means, in place of any value of the file. */
const ODD: readonly unknown[] = [
  null,
  true,
  '',
  'x'.repeat(100),
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 53,
  [],
  {},
  [[]],
  [null],
  [[1e9, 1e9, 1, 1, 2, 2]],
  { size: [4, 6], counts: [1e308, -1e308] },
  { size: [4, 6], counts: '~~~' },
  { size: [4, 6], counts: 'oooooooooooooooo' },
  { size: [1e9, 1e9], counts: [1e18] },
]

test('whatever stands in place of a value, the file is read or refused with file and place', async () => {
  type Place = readonly (string | number)[]
  const places = (value: unknown, at: Place = []): Place[] =>
    typeof value === 'object' && value !== null
      ? [at, ...Object.entries(value).flatMap(([key, each]) => places(each, [...at, key]))]
      : [at]
  const put = (root: unknown, at: Place, odd: unknown): void => {
    const parent = at
      .slice(0, -1)
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root)
    ;(parent as Record<string, unknown>)[at.at(-1)!] = odd
  }
  const all = places(GOOD).filter((at) => at.length > 0)
  let refused = 0
  for (const [i, at] of all.entries())
    for (let k = 0; k < 4; k++) {
      const odd = ODD[(5 * i + k) % ODD.length]
      try {
        const { images } = await read((json) => put(json, at, odd))
        images.forEach((image) => image.instances())
      } catch (error) {
        refused += 1
        const { name, message } = error as Error
        assert.equal(name, 'Error', `${at.join('.')} = ${JSON.stringify(odd)}: ${message}`)
        assert.ok(message.startsWith(`coco: ${split.annotations}: `), message)
      }
    }
  assert.ok(refused > all.length, `${refused} of ${4 * all.length}`)
})

test('of images that are not used nothing is kept, a scribble is kept as its polygon, and too much is refused', async () => {
  const scribble = Array.from({ length: 60 }, (_, i) => (i * 7919) % (i % 2 ? 400 : 600))
  const square = [1, 1, 9, 1, 9, 9, 1, 9]
  const big = (json: typeof GOOD): unknown => {
    for (const image of json.images) Object.assign(image, { height: 400, width: 600 })
    const polygonOf = (i: number) => [i < 3 ? square : scribble]
    const annotations = Array.from({ length: 30 }, (_, i) => ({
      ...{ id: i, image_id: [7, 5, 9][i % 3]!, category_id: 3, area: 9 },
      ...{ bbox: [0, 0, 600, 400], segmentation: polygonOf(i) },
    }))
    Object.assign(json, { annotations })
    return json
  }
  const all = await read(big)
  const { mask } = all.images[0]!.instances()[1]!
  assert.deepEqual(mask, polygonMask(scribble, 400, 600))
  assert.ok(mask.counts.length > 2000 && outlineBytes(outlineOf(mask, [onGrid(scribble)])) < 250)
  assert.ok(outlineBytes(outlineOf(mask, null)) > 2000)

  // An object is counted as 320 bytes and its text: 30 of them come to more than 10,000 bytes, the 10 of one image do not.
  const options = { whole: 0, most: 8000 }
  await assert.rejects(
    readCoco(split, options),
    /: annotation \d+: needed at most 8000 bytes for the objects of 3 images, got more with this one; set fewer images/,
  )
  const { images } = await readCoco(split, { ...options, used: (all) => all.slice(1, 2) })
  assert.deepEqual(
    images.map((image) => [image.id, image.labels.length]),
    [[5, 10]],
  )
})

test('outlines give back each mask to the last pixel, left of the image and far out, too', () => {
  const random = createRandom('outlines')
  for (let i = 0; i < 300; i++) {
    const far = [1, 30, 1e7][i % 3]!
    const polygons = Array.from({ length: 1 + (i % 2) }, () =>
      onGrid(
        Array.from(
          { length: 2 * (3 + (i % 7)) },
          () => (random.next() * 3 - 1) * 20 * (random.next() < 0.2 ? far : 1),
        ),
      ),
    )
    const mask = gridMask(polygons, 20, 30)
    const outline = outlineOf(mask, polygons)
    assert.deepEqual(maskOfOutline(outline, 20, 30), mask)
    assert.deepEqual(maskOfOutline(polygons.map(numbersText), 20, 30), mask)
  }
})
