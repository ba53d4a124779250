import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { SHAPE_NAMES } from '../../../main/engine/data/shapes/outlines.ts'
import { paintScene, shapeScenes } from '../../../main/engine/data/shapes/scenes.ts'
import { evaluateCoco } from '../../../main/engine/metrics/coco.ts'
import { decodeMask, maskArea, maskBox, maskIou } from '../../../main/engine/metrics/mask.ts'
import { createRandom } from '../../../shared/random.ts'

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)
const set = shapeScenes(60, 64, 'training')
const all = set.images.map((image) => image.instances())

test('a seed gives the same scene, another seed or number another; more scenes begin with the fewer', async () => {
  const first = await set.images[0]!.pixels()
  assert.equal(first.length, 64 * 64 * 3)
  assert.deepEqual(first, await shapeScenes(1, 64, 'training').images[0]!.pixels())
  assert.equal(digest(first), 'cb198fc0dcf14394')
  const pictures = await Promise.all(
    [set, shapeScenes(3, 64, 'other')].flatMap((s) => s.images.map((i) => i.pixels())),
  )
  assert.equal(new Set(pictures.map(digest)).size, 63)
})

test('masks of a scene share no pixel, boxes fit them, and every shape is in sight', () => {
  for (const shapes of all) {
    const owners = new Uint8Array(64 * 64)
    for (const { mask, box, area } of shapes) {
      assert.deepEqual(box, maskBox(mask))
      assert.equal(area, maskArea(mask))
      assert.ok(area >= 20, `area ${area}`)
      decodeMask(mask).forEach((set, i) => (owners[i]! += set))
    }
    assert.ok(owners.every((count) => count <= 1))
  }
})

test('scenes hold one to six shapes, of every class and of sizes from small to a tenth of the picture', () => {
  const counts = all.map((shapes) => shapes.length)
  assert.ok(Math.min(...counts) >= 1 && Math.max(...counts) === 6)
  assert.equal(new Set(all.flat().map(({ category }) => category)).size, SHAPE_NAMES.length)
  const areas = all.flat().map(({ area }) => area / 64 ** 2)
  assert.ok(Math.min(...areas) < 0.01 && Math.max(...areas) > 0.1)
})

test('the mask is where the shape is: its pixels differ from those around it', () => {
  // On average over many shapes, the step across the outline is far above that between neighbours inside it.
  let [across, inside, crossings, neighbours] = [0, 0, 0, 0]
  for (let n = 0; n < 20; n++) {
    const { pixels, shapes } = paintScene(96, createRandom('outline', n))
    for (const { mask } of shapes) {
      const own = decodeMask(mask)
      for (let i = 0; i < own.length - 2; i++) {
        if (i % 96 >= 94 || !own[i]) continue
        const step = Math.abs(pixels[3 * i]! - pixels[3 * (i + 2)]!)
        if (own[i + 2]) [inside, neighbours] = [inside + step, neighbours + 1]
        else [across, crossings] = [across + step, crossings + 1]
      }
    }
  }
  assert.ok(across / crossings > 2.5 * (inside / neighbours), `${across / crossings}, ${inside / neighbours}`)
})

test('any side from 64 to 256 can be painted, and read at another size', async () => {
  const [image] = shapeScenes(1, 200, 'training').images
  assert.equal((await image!.pixels()).length, 200 * 200 * 3)
  assert.equal((await image!.pixels(50, 100)).length, 50 * 100 * 3)
  assert.throws(() => shapeScenes(1, 32, 'training'), /needed a side of 64 to 256 pixels, got 32/)
})

test('the truth as detections scores 1, of shapes that overlap as little as they do', () => {
  const truths = set.images.flatMap((image) =>
    image.instances().map((shape) => ({ ...shape, image: image.id })),
  )
  const detections = truths.map((truth) => ({ ...truth, score: 0.9 }))
  for (const kind of ['box', 'mask'] as const)
    assert.ok(Math.abs(evaluateCoco(truths, detections, kind).ap! - 1) < 1e-9)
  assert.equal(maskIou(all[0]![0]!.mask, all[0]![1]!.mask, false), 0)
})
