import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOSSES } from '../../../../main/engine/tasks/segmentation/objective.ts'
import { drawn } from '../../../reference/networks.ts'
import { deviation } from '../../../reference/layers.ts'
import { SEGMENTATION } from '../../../reference/segmentation.ts'
import { referenceBatch, referenceDetector, SETTINGS } from './reference.ts'

const near = (what: string, got: ArrayLike<number>, wanted: ArrayLike<number>, within: number): void => {
  const off = deviation(got, Array.from(wanted))
  assert.ok(
    off < within,
    `${what}: off by ${off.toExponential(1)}: ${Array.from(got)}; ${Array.from(wanted)}`,
  )
}
const SIDE = SETTINGS.imageSize

for (const { layer, images, losses, sums, found } of SEGMENTATION.steps)
  test(`two training steps of Mask R-CNN with ${layer}, and its detections, equal PyTorch's`, () => {
    const detector = referenceDetector(layer)
    if (layer === 'BN-ReLU') assert.equal(detector.parameters, SEGMENTATION.parameters)
    const batch = referenceBatch(images)
    for (const wanted of losses) {
      const got = detector.step(batch, 0.02)
      near(
        'losses',
        LOSSES.slice(1).map((loss) => got[loss]),
        wanted,
        1e-3,
      )
      assert.ok(Math.abs(got.total - wanted.reduce((a, b) => a + b)) < 1e-3)
    }
    const weights = [...detector.state()].filter(([name]) => name.includes('/weights/'))
    const weighted = weights.map(([, values], i) =>
      drawn(values.length, i + 2000).reduce((sum, factor, k) => sum + factor * values[k]!, 0),
    )
    near('weights', weighted, sums, 2e-3)
    detector.detect(batch.images).forEach((got, n) => {
      const wanted = found[n]!
      const { count } = got
      assert.equal(count, wanted.scores.length)
      assert.deepEqual([...got.classes.subarray(0, count)], wanted.classes)
      near('scores', got.scores.subarray(0, count), wanted.scores, 2e-3)
      near(
        'boxes',
        got.boxes.subarray(0, 4 * count).map((edge) => edge / SIDE),
        wanted.boxes.map((edge) => edge / SIDE),
        2e-3,
      )
      const factors = drawn(28 * 28, 3000)
      const masks = wanted.masks.map((_, i) =>
        factors.reduce((sum, factor, k) => sum + factor * got.masks[i * 28 * 28 + k]!, 0),
      )
      near('masks', masks, wanted.masks, 1e-2)
    })
    detector.dispose()
  })

test('a compiled step of Mask R-CNN, and its detections, equal eager ones', () => {
  const run = (eager: boolean) => {
    const detector = referenceDetector('EvoNorm-B0', eager)
    const batch = referenceBatch(SEGMENTATION.steps[1]!.images)
    const losses = Object.values(detector.step(batch, 0.02))
    const [state, found] = [detector.state(), detector.detect(batch.images)]
    detector.dispose()
    return { losses, state, found }
  }
  const [compiled, eager] = [run(false), run(true)]
  near('losses', compiled.losses, eager.losses, 1e-5)
  for (const [name, values] of compiled.state) near(name, values, [...eager.state.get(name)!], 1e-3)
  compiled.found.forEach(({ count, scores }, n) => {
    assert.equal(count, eager.found[n]!.count)
    near('scores', scores, [...eager.found[n]!.scores], 1e-3)
  })
})

for (const layer of ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'])
  test(`Mask R-CNN with ${layer} learns one batch`, () => {
    const detector = referenceDetector(layer)
    const batch = referenceBatch(SEGMENTATION.steps[1]!.images)
    const totals = Array.from({ length: 40 }, () => detector.step(batch, 0.02).total)
    detector.dispose()
    assert.ok(totals.every(Number.isFinite))
    assert.ok(Math.max(...totals.slice(-5)) < 0.7 * totals[0]!, `losses ${totals}`)
  })
