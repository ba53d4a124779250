import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  boxIou,
  countsText,
  decodeMask,
  encodeMask,
  maskArea,
  maskBox,
  maskIou,
  mergeMasks,
  parseCounts,
} from '../../../main/engine/metrics/mask.ts'
import { polygonMask } from '../../../main/engine/metrics/polygon.ts'
import { createRandom } from '../../../shared/random.ts'

const rows = (...lines: string[]): number[] =>
  lines.flatMap((line) => [...line].map((c) => Number(c === '#')))

test('run lengths go down the columns, zeros first', () => {
  const mask = encodeMask(rows('#..', '##.'), 2, 3)
  assert.deepEqual(mask.counts, [0, 2, 1, 1, 2])
  assert.deepEqual([...decodeMask(mask)], rows('#..', '##.'))
  assert.equal(maskArea(mask), 3)
  assert.deepEqual(maskBox(mask), [0, 0, 2, 2])
})

test('a box around a run that wraps to the next column has the full height', () => {
  assert.deepEqual(maskBox(encodeMask(rows('.#.', '.#.', '#..'), 3, 3)), [0, 0, 2, 3])
  assert.deepEqual(maskBox(encodeMask(rows('...', '..#', '...'), 3, 3)), [2, 1, 1, 1])
  assert.deepEqual(maskBox(encodeMask(rows('...', '...'), 2, 3)), [0, 0, 0, 0])
})

test('text, masks and runs turn into each other for masks of every density', () => {
  const random = createRandom('masks')
  for (let n = 0; n < 60; n++) {
    const [height, width, density] = [1 + random.below(40), 1 + random.below(40), n / 59]
    const pixels = Array.from({ length: height * width }, () => Number(random.next() < density))
    const mask = encodeMask(pixels, height, width)
    assert.deepEqual([...decodeMask(mask)], pixels)
    assert.deepEqual(parseCounts(countsText(mask), height, width), mask)
  }
})

test('the text is that of pycocotools', () => {
  // pycocotools.mask.encode of zeros((300, 200)) with [10:200, 20:150] = 1, and of ones((3, 4)).
  const block = Array.from({ length: 60_000 }, (_, i) => {
    const [y, x] = [Math.floor(i / 200), i % 200]
    return Number(y >= 10 && y < 200 && x >= 20 && x < 150)
  })
  assert.ok(countsText(encodeMask(block, 300, 200)).startsWith('jk5n5^300000000000000000'))
  assert.equal(countsText(encodeMask(Array<number>(12).fill(1), 3, 4)), '0<')
})

test('overlaps: of each other, and of the part inside a crowd', () => {
  const a = encodeMask(rows('##..', '##..'), 2, 4)
  const b = encodeMask(rows('.###', '.###'), 2, 4)
  assert.equal(maskIou(a, b, false), 2 / 8)
  assert.equal(maskIou(a, b, true), 2 / 4)
  assert.equal(boxIou([0, 0, 2, 2], [1, 0, 3, 2], false), 2 / 8)
  assert.equal(boxIou([0, 0, 2, 2], [1, 0, 3, 2], true), 2 / 4)
  assert.equal(boxIou([0, 0, 2, 2], [2, 0, 2, 2], false), 0)
  assert.deepEqual([...decodeMask(mergeMasks([a, b]))], rows('####', '####'))
})

test('a polygon sets the pixels whose centres it holds', () => {
  assert.deepEqual(
    [...decodeMask(polygonMask([1, 1, 3, 1, 3, 3, 1, 3], 4, 4))],
    rows('....', '.##.', '.##.', '....'),
  )
})

test('what is no mask is refused with what was needed and what came', () => {
  assert.throws(() => encodeMask([1, 0], 2, 2), /needed 2×2 = 4 values, got 2/)
  assert.throws(() => parseCounts('0', 2, 2), /fill 2×2 = 4 pixels, fill 0/)
  assert.throws(() => parseCounts('1!', 2, 2), /character 2 needs to be among "0"\.\."o", got "!"/)
  assert.throws(() => parseCounts('o', 2, 2), /ends in the middle/)
  assert.throws(() => polygonMask([0, 0, 1, 1], 2, 2), /3 or more points .* got 4 numbers/)
  assert.throws(() => polygonMask([0, 0, 1, 1, NaN, 0], 2, 2), /needs numbers from .*, got NaN/)
  assert.throws(() => maskIou(encodeMask([1], 1, 1), encodeMask([1, 1], 1, 2), false), /1×1 and 1×2/)
})

type Clipped = { size: [number, number]; polygon: number[]; counts: string; area: number; box: number[] }

test('polygons that leave the image, however far, set the pixels that pycocotools sets', () => {
  const cases = JSON.parse(
    readFileSync(new URL('../../reference/coco_clip.json', import.meta.url), 'utf8'),
  ) as Clipped[]
  for (const { size, polygon, counts, area, box } of cases) {
    const mask = polygonMask(polygon, ...size)
    const name = `${size.join('×')}: ${polygon.join(' ')}`
    assert.equal(countsText(mask), counts, name)
    assert.equal(maskArea(mask), area, name)
    assert.deepEqual(maskBox(mask), box, name)
  }
})

test('a corner 400 million pixels away costs no more than one nearby, one beyond is refused', () => {
  const far = polygonMask([10, 10, 4e8, 10, 4e8, 4e8, 10, 4e8], 64, 80)
  assert.deepEqual(far, polygonMask([10, 10, 90, 10, 90, 90, 10, 90], 64, 80))
  assert.throws(() => polygonMask([10, 10, 1e9, 10, 10, 20], 64, 80), /from -429496729 to .*, got 1000000000/)
})
