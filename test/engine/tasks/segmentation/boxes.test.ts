import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../../../main/engine/gradients/index.ts'
import { loadRuntime, type Tensor } from '../../../../main/engine/runtime.ts'
import { anchorBoxes, levelsOf } from '../../../../main/engine/tasks/segmentation/anchors.ts'
import {
  clipBoxes,
  decodeBoxes,
  encodeBoxes,
  overlaps,
} from '../../../../main/engine/tasks/segmentation/boxes.ts'
import { matchAnchors, overlap, sampleAnchors } from '../../../../main/engine/tasks/segmentation/matching.ts'
import { createRandom } from '../../../../shared/random.ts'
import { SEGMENTATION } from '../../../reference/segmentation.ts'
import { SETTINGS } from './reference.ts'

const { tf } = loadRuntime()
registerGradients()
const near = (got: ArrayLike<number>, wanted: readonly number[], within = 1e-5): void => {
  assert.equal(got.length, wanted.length)
  wanted.forEach((w, i) => assert.ok(Math.abs(got[i]! - w) < within, `${i}: ${got[i]}, needed ${w}`))
}
const boxes = (...rows: number[][]): Tensor => tf.tensor2d(rows)

test('a pyramid halves its sides from the finest stride on, five levels', () => {
  assert.deepEqual(
    levelsOf(64, 2).map(({ stride, side, anchors }) => [stride, side, anchors]),
    [
      [2, 32, 3072],
      [4, 16, 768],
      [8, 8, 192],
      [16, 4, 48],
      [32, 2, 12],
    ],
  )
  assert.deepEqual(
    levelsOf(96, 4).map(({ side }) => side),
    [24, 12, 6, 3, 2],
  )
})

test('anchors are centred on their positions, of one area a level, wide, square and tall', () => {
  const anchors = anchorBoxes(levelsOf(64, 4), 8)
  assert.equal(anchors.length, 4 * 3 * (256 + 64 + 16 + 4 + 1))
  // Level 0, row 0, column 0: centre (2, 2), 32 strides-of-4 pixels a side: sides 32/√2 × 32√2, 32 × 32, 32√2 × 32/√2.
  const short = 16 / Math.SQRT2
  const long = 16 * Math.SQRT2
  near(anchors.subarray(0, 12), [
    ...[2 - short, 2 - long, 2 + short, 2 + long],
    ...[-14, -14, 18, 18],
    ...[2 - long, 2 - short, 2 + long, 2 + short],
  ])
  // The next position is to the right, the one below a row on.
  near(anchors.subarray(16, 20), [-14, -10, 18, 22])
  near(anchors.subarray(12 * 16 + 4, 12 * 16 + 8), [-10, -14, 22, 18])
})

test('box deltas: a shift by half a side and a doubling, by hand, and back', () => {
  const [from, to] = [boxes([10, 20, 30, 60]), boxes([10, 0, 50, 80])]
  // Centres (20, 40) and (30, 40); sides 20 × 40 and 40 × 80.
  near(encodeBoxes(from, to, [1, 1]).dataSync(), [0.5, 0, Math.LN2, Math.LN2])
  near(encodeBoxes(from, to, [10, 5]).dataSync(), [5, 0, 5 * Math.LN2, 5 * Math.LN2])
  for (const weights of [
    [1, 1],
    [10, 5],
  ] as const)
    near(decodeBoxes(from, encodeBoxes(from, to, weights), weights).dataSync(), [10, 0, 50, 80], 1e-4)
  // Growth is bounded: e^10 times would be 440,000 pixels.
  const grown = decodeBoxes(from, boxes([0, 0, 10, 0]), [1, 1]).dataSync()
  near([grown[2]! - grown[0]!], [(20 * 1000) / 16], 1e-2)
  near(clipBoxes(boxes([-3, 5, 70, 64]), 64).dataSync(), [0, 5, 64, 64])
  near(clipBoxes(boxes([NaN, -Infinity, Infinity, 64]), 64).dataSync(), [0, 0, 64, 64])
})

test('overlaps of boxes: equal, half, apart and empty', () => {
  const a = tf.tensor3d(
    [
      [0, 0, 10, 10],
      [0, 5, 10, 15],
      [20, 20, 30, 30],
      [4, 4, 4, 4],
    ].flat(),
    [1, 4, 4],
  )
  const b = tf.tensor3d(
    [
      [0, 0, 10, 10],
      [0, 0, 0, 0],
    ].flat(),
    [1, 2, 4],
  )
  near(overlaps(a, b).dataSync(), [1, 0, 1 / 3, 0, 0, 0, 0, 0])
  near([overlap(Float32Array.of(0, 5, 10, 15), 0, Float32Array.of(0, 0, 10, 10), 0)], [1 / 3])
})

test('anchors match objects as in PyTorch', () => {
  SEGMENTATION.matched.forEach(([objects, background, neither, sum], n) => {
    const real = SEGMENTATION.batch.boxes[n]!.filter((_, i) => SEGMENTATION.batch.classes[n]![i]! > 0)
    const matched = matchAnchors(SETTINGS.anchors, Float32Array.from(real.flat()))
    const count = (which: (object: number) => boolean) => matched.filter(which).length
    assert.deepEqual(
      [count((o) => o >= 0), count((o) => o === -1), count((o) => o === -2)],
      [objects, background, neither],
    )
    assert.equal(
      matched.reduce((total, object, i) => total + object * (i % 97), 0),
      sum,
    )
  })
})

test('without objects all anchors are background', () => {
  assert.ok(matchAnchors(SETTINGS.anchors, new Float32Array()).every((object) => object === -1))
})

test('anchors drawn: at most half objects, the rest background, none twice', () => {
  const matched = Int32Array.from({ length: 100 }, (_, i) => (i < 30 ? i % 3 : i < 40 ? -2 : -1))
  const { anchors, object } = sampleAnchors(matched, 20, createRandom(1))
  assert.equal(new Set(anchors).size, 20)
  assert.equal(object.filter((o) => o >= 0).length, 10)
  anchors.forEach((anchor, i) => assert.equal(object[i], matched[anchor]))
  assert.ok(object.every((o) => o !== -2))
  // Too few to draw: what is left over counts for nothing.
  const few = sampleAnchors(Int32Array.of(0, -2, -1), 8, createRandom(1))
  assert.deepEqual([...few.object].sort(), [-1, -2, -2, -2, -2, -2, -2, 0])
})
