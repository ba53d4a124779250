import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeMask } from '../../../../main/engine/metrics/mask.ts'
import { prepareImage } from '../../../../main/engine/tasks/segmentation/images.ts'

test('what is cut out of a box beyond the image does not wrap round to the rows above and below', async () => {
  const side = 64
  // Only the last column is set: nothing of it lies in the boxes' half of the image.
  const mask = encodeMask(
    Array.from({ length: side * side }, (_, i) => Number(i % side === side - 1)),
    side,
    side,
  )
  const instances =
    ([x, y]: readonly [number, number]) =>
    () => [{ id: 1, category: 0, box: [x, y, 40, 40] as const, area: 64, crowd: false, mask }]
  for (const at of [[-30, -10] as const, [-5, 40] as const]) {
    const image = { id: 1, height: side, width: side, source: 'a test', instances: instances(at) }
    const pixels = async () => new Uint8Array(side * side * 3)
    const { masks } = await prepareImage({ ...image, pixels }, side, 8)
    assert.equal(masks[0]!.indexOf(1), -1, `a box at ${at.join(', ')}`)
  }
})
