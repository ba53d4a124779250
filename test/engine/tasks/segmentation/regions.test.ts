import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerGradients } from '../../../../main/engine/gradients/index.ts'
import { encodeMask } from '../../../../main/engine/metrics/mask.ts'
import { loadRuntime, type Tensor } from '../../../../main/engine/runtime.ts'
import { levelsOf } from '../../../../main/engine/tasks/segmentation/anchors.ts'
import * as losses from '../../../../main/engine/tasks/segmentation/losses.ts'
import { pasteMask } from '../../../../main/engine/tasks/segmentation/paste.ts'
import { levelOf, pyramidAlign } from '../../../../main/engine/tasks/segmentation/roiAlign.ts'
import { drawRegions } from '../../../../main/engine/tasks/segmentation/rois.ts'
import { drawn } from '../../../reference/networks.ts'
import { SEGMENTATION } from '../../../reference/segmentation.ts'
import { SETTINGS } from './reference.ts'

const { tf } = loadRuntime()
registerGradients()
const near = (got: ArrayLike<number>, wanted: readonly number[], within = 1e-5): void => {
  assert.equal(got.length, wanted.length)
  wanted.forEach((w, i) => assert.ok(Math.abs(got[i]! - w) < within, `${i}: ${got[i]}, needed ${w}`))
}
const ints = (...values: number[]): Tensor => tf.tensor1d(values, 'int32')

test('a region is taken from the level on which it has 14 to 28 strides a side', () => {
  const sides = [10, 28, 55, 56, 112, 223, 224, 900]
  const regions = tf.tensor2d(sides.map((side) => [0, 0, side, side]))
  assert.deepEqual([...levelOf(regions, 2).dataSync()], [0, 0, 0, 1, 2, 2, 3, 3])
  // As published: 224 pixels on P4, the third.
  assert.deepEqual([...levelOf(tf.tensor2d([[0, 0, 224, 224]]), 4).dataSync()], [2])
})

test('RoIAlign gives the value at the middle of each bin of a map that rises evenly', () => {
  const levels = levelsOf(64, 2)
  // Map i is 1000 · i + row + 100 · column, at the pixels' centres, in its own pixels.
  const maps = levels.map(({ side }, i) =>
    tf.tensor4d(
      Float32Array.from(
        { length: side * side },
        (_, p) => 1000 * i + Math.floor(p / side) + 0.5 + 100 * ((p % side) + 0.5),
      ),
      [1, side, side, 1],
    ),
  )
  const regions = tf.tensor2d([
    [4, 10, 24, 40],
    [2, 1, 62, 60],
  ])
  const got = pyramidAlign(maps, levels, regions, ints(0, 0), 2).dataSync()
  // The first from level 0 (stride 2): rows 2..12, columns 5..20, bins of 5 × 7.5; the second from level 1 (stride 4).
  const at = (level: number, row: number, column: number) => 1000 * level + row + 100 * column
  near(
    got,
    [
      ...[at(0, 4.5, 8.75), at(0, 4.5, 16.25), at(0, 9.5, 8.75), at(0, 9.5, 16.25)],
      ...[at(1, 4.25, 3.9375), at(1, 4.25, 11.3125), at(1, 11.75, 3.9375), at(1, 11.75, 11.3125)],
    ],
    2e-2,
  )
})

test('beyond the edge RoIAlign goes on with the outermost pixels', () => {
  const levels = levelsOf(64, 2)
  const maps = levels.map(({ side }) => tf.ones([1, side, side, 1]))
  const whole = tf.tensor2d([[0, 0, 28, 28]])
  near(pyramidAlign(maps, levels, whole, ints(0), 7).dataSync(), Array<number>(49).fill(1))
})

test('regions drawn: objects in front as chance has it, the objects themselves among them', () => {
  const proposals = {
    boxes: tf.tensor3d(
      [
        ...[0, 0, 20, 20], // an object's own place
        ...[0, 0, 20, 11], // overlaps it by 0.55
        ...[0, 0, 20, 9], // by 0.45
        ...[40, 40, 60, 60], // by nothing
        ...Array.from({ length: 9 }, () => [0, 0, 20, 20]).flat(), // fill up
      ],
      [1, 13, 4],
    ),
    valid: tf.tensor2d([1, 1, 1, 1, ...Array<number>(9).fill(0)], [1, 13]),
  }
  const objects = {
    boxes: tf.tensor3d([0, 0, 20, 20, 0, 0, 0, 0, 0, 0, 0, 0], [1, 3, 4]),
    classes: tf.tensor2d([2, 0, 0], [1, 3], 'int32'),
  }
  const chance = tf.tensor2d([0.1, 0.9, 0.2, 0.3, ...Array<number>(9).fill(0.99), 0.5, 0.9, 0.9], [1, 16])
  const { boxes, weights, classes, isObject, object } = drawRegions(proposals, objects, chance, SETTINGS)
  // Four places for objects: 0.9, 0.5 (the object itself), 0.1, and one left over; then 0.3, 0.2 of background, which has no more.
  assert.deepEqual([...isObject.dataSync()], [1, 1, 1, 0])
  assert.deepEqual([...weights.dataSync()].slice(0, 8), [1, 1, 1, 0, 1, 1, 0, 0])
  assert.deepEqual([...classes.dataSync()].slice(0, 6), [2, 2, 2, 0, 0, 0])
  assert.deepEqual([...object.dataSync()].slice(0, 3), [0, 0, 0])
  const drawn = [...boxes.dataSync()]
  assert.deepEqual(drawn.slice(0, 12), [0, 0, 20, 11, 0, 0, 20, 20, 0, 0, 20, 20])
  assert.deepEqual(drawn.slice(16, 24), [40, 40, 60, 60, 0, 0, 20, 9])
})

test('places that objects leave over are the background next in line, of class 0; none is drawn twice', () => {
  // Eight boxes apart from both images' objects, named by their left edge; the second image has no object at all.
  const row = Array.from({ length: 8 }, (_, i) => [40, 2 * i, 60, 2 * i + 1]).flat()
  const proposals = { boxes: tf.tensor3d([...row, ...row], [2, 8, 4]), valid: tf.ones([2, 8]) }
  const objects = {
    boxes: tf.tensor3d([[[0, 0, 20, 20]], [[0, 0, 0, 0]]]),
    classes: tf.tensor2d([[3], [0]], [2, 1], 'int32'),
  }
  const luck = [0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.5]
  const chance = tf.tensor2d([...luck, 0.9, ...luck, 0.9], [2, 9])
  const settings = { ...SETTINGS, regions: { ...SETTINGS.regions, rois: 8 } }
  const { boxes, weights, classes, isObject } = drawRegions(proposals, objects, chance, settings)
  const rows = (x: Tensor) => x.arraySync() as number[][]
  assert.deepEqual(rows(weights), [Array(8).fill(1), Array(8).fill(1)])
  assert.deepEqual(rows(isObject), [
    [1, 0],
    [0, 0],
  ])
  assert.deepEqual(rows(classes), [[3, 0, 0, 0, 0, 0, 0, 0], Array(8).fill(0)])
  const which = (boxes.arraySync() as number[][][]).map((image) => image.map(([, left]) => left! / 2))
  // By luck: 1, 3, 5, 7, 6, 4 behind; then 2, and 0 where one more place is left.
  assert.deepEqual(which, [
    [0, 2, 1, 3, 5, 7, 6, 4],
    [0, 2, 1, 3, 5, 7, 6, 4],
  ])
})

test('losses of single values, by hand', () => {
  const row = (...values: number[]) => tf.tensor1d(values)
  near(losses.sigmoidCrossEntropy(row(0, 2, -30), row(1, 0, 1)).dataSync(), [
    Math.LN2,
    Math.log(1 + Math.E ** 2),
    30,
  ])
  near(losses.smoothL1(row(0.05, -0.5, 2), 1 / 9).dataSync(), [0.05 ** 2 * 4.5, 0.5 - 1 / 18, 2 - 1 / 18])
  near(losses.smoothL1(row(0.5, -3), 1).dataSync(), [0.125, 2.5])
  const logits = tf.tensor2d([0, 0, 0, Math.log(3), 0, 0], [2, 3])
  near(losses.crossEntropies(logits, ints(1, 0)).dataSync(), [Math.log(3), Math.log(5 / 3)])
  near(losses.weightedMean(row(2, 4, 100), row(1, 1, 0)).dataSync(), [3])
  near(losses.weightedMean(row(2, 4), row(0, 0)).dataSync(), [0])
  const byClass = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
  near(losses.ofClass(byClass, ints(2, 0)).dataSync(), [2, 4, 0, 0])
})

test('a mask is pasted as bilinear interpolation at the pixels’ centres', () => {
  const { box, height, width, set } = SEGMENTATION.pasted
  const values = drawn(28 * 28, 4000).map((value) => value / 2 + 0.5)
  const mask = new Uint8Array(height * width)
  for (const pixel of set) mask[pixel] = 1
  assert.deepEqual(pasteMask(values, box, height, width), encodeMask(mask, height, width))
  const nothing = pasteMask(new Float32Array(28 * 28), box, height, width)
  assert.deepEqual(nothing.counts, [height * width])
  const all = pasteMask(new Float32Array(28 * 28).fill(1), [0, 0, width, height], height, width)
  assert.deepEqual(all.counts, [0, height * width])
})
