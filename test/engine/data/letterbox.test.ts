import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnnotatedImage } from '../../../main/engine/data/instances.ts'
import {
  boxInto,
  boxOutOf,
  letterbox,
  loadLetterboxed,
  maskInto,
} from '../../../main/engine/data/letterbox.ts'
import { encodeMask } from '../../../main/engine/metrics/mask.ts'

test('the longer side fills the square, the other keeps the shape', () => {
  const at = letterbox(30, 60, 20)
  assert.deepEqual([at.height, at.width], [10, 20])
  const thin = letterbox(1000, 3, 64)
  assert.deepEqual([thin.height, thin.width], [64, 1])
})

test('boxes go in and come back; out of the square they are cut off', () => {
  const at = letterbox(30, 60, 20)
  assert.deepEqual(boxInto(at, [6, 3, 12, 9]), [2, 1, 4, 3])
  assert.deepEqual(boxOutOf(at, [2, 1, 4, 3]), [6, 3, 12, 9])
  assert.deepEqual(boxOutOf(at, [-1, 8, 5, 9]), [0, 24, 12, 6])
})

test('a mask takes what lies under the centre of each pixel', () => {
  const mask = encodeMask([1, 1, 0, 0, 0, 0, 1, 1], 2, 4)
  assert.deepEqual([...maskInto(letterbox(2, 4, 4), mask)], [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([...maskInto(letterbox(2, 4, 2), mask)], [0, 1, 0, 0])
  assert.throws(() => maskInto(letterbox(4, 4, 4), mask), /needed a mask of 4×4, got 2×4/)
})

test('pixels sit at the top left, the rest is black', async () => {
  const image: AnnotatedImage = {
    id: 1,
    height: 2,
    width: 4,
    source: 'made up',
    instances: () => [],
    pixels: async (height = 2, width = 4) => new Uint8Array(height * width * 3).fill(9),
  }
  const { at, pixels } = await loadLetterboxed(image, 2)
  assert.deepEqual([at.height, at.width], [1, 2])
  assert.deepEqual([...pixels], [9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0])
})
