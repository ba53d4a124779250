import assert from 'node:assert/strict'
import { test } from 'node:test'
import { curveChart } from '../../renderer/draw/curves.ts'
import { readAt } from '../../renderer/draw/lines.ts'
import { accuracyDomain, place, robustDomain } from '../../renderer/draw/scale.ts'
import { nearestDot, pairs, scatter } from '../../renderer/draw/scatter.ts'
import type { CurvePoint, Evaluation } from '../../shared/records.ts'

const training = (curve: readonly CurvePoint[]): Evaluation => ({
  architecture: { name: 'resnet', width: 1, depth: 1 },
  purpose: 'score',
  seed: 1,
  steps: curve.at(-1)?.step ?? 0,
  parameters: 100,
  curve,
  accuracy: null,
  gradientNorm: null,
  seconds: 1,
})
const SIZE = { width: 460, height: 236 } // a plot of 400 by 200 at (46, 10)
const losses = (values: readonly (number | null)[]): Evaluation =>
  training(values.map((loss, i) => ({ step: 10 * (i + 1), loss, accuracy: null })))

test('steps run from the left edge at zero to the right edge at the last one', () => {
  const { curves, plot } = curveChart([losses([2, 1.5, 1, 0.5])], 'loss', SIZE)
  assert.deepEqual([plot.x, plot.y, plot.width, plot.height], [46, 10, 400, 200])
  assert.deepEqual(
    curves[0]!.dots.map((dot) => dot.x),
    [146, 246, 346, 446],
  )
  const ys = curves[0]!.dots.map((dot) => dot.y)
  assert.deepEqual(
    ys,
    [...ys].sort((a, b) => a - b),
    'a falling loss goes down',
  )
})

test('a value far out does not flatten the rest: it is a tick on the edge', () => {
  const { curves, domain } = curveChart([losses([2, 1.9, 1.8, 1.7, 1.6, 1.5, 1e9])], 'loss', SIZE)
  assert.ok(domain[1] < 5, `the scale ends at ${domain[1]}`)
  assert.deepEqual(curves[0]!.off, [{ x: 446, y: 10, edge: 'high' }])
})

test('losses that were not finite are counted and break nothing', () => {
  const { curves } = curveChart([losses([2, 1, null, null])], 'loss', SIZE)
  assert.equal(curves[0]!.missing, 2)
  assert.equal(curves[0]!.dots.length, 2)
})

test('accuracies have points only where they were measured, and the quality limit ends at its step', () => {
  const evaluation = training([
    { step: 50, loss: 2, accuracy: null },
    { step: 100, loss: 1.5, accuracy: 0.4 },
    { step: 200, loss: 1, accuracy: 0.6 },
  ])
  const { curves, limit, domain } = curveChart([evaluation], 'accuracy', SIZE, { steps: 100, accuracy: 0.2 })
  assert.deepEqual(
    curves[0]!.dots.map((dot) => dot.step),
    [100, 200],
  )
  assert.equal(curves[0]!.missing, 0)
  assert.deepEqual([limit!.x0, limit!.x1], [46, 246])
  assert.equal(domain[0], 0)
})

test('the pointer reads the nearest step of each curve', () => {
  const chart = curveChart([losses([2, 1.5, 1]), losses([3, 2.5])], 'loss', SIZE)
  assert.deepEqual(
    readAt(chart, 440).map(({ dot }) => [dot.step, dot.value]),
    [
      [30, 1],
      [20, 2.5],
    ],
  )
})

test('a robust scale keeps the middle, what must be inside is inside, and accuracies stay within 0 and 1', () => {
  const [low, high] = robustDomain([1, 2, 3, 4, 1000])
  assert.ok(low < 1 && high > 4 && high < 20, `${low}..${high}`)
  assert.ok(robustDomain([1, 2, 3], [50])[1] >= 50)
  assert.deepEqual(accuracyDomain([0, 1]), [0, 1])
  assert.deepEqual(robustDomain([]), [0, 1])
  const [only] = [robustDomain([0.5])]
  assert.ok(only[0] < 0.5 && only[1] > 0.5)
})

test('a value is placed in its range, or at the edge it lies beyond', () => {
  assert.deepEqual(place(5, [0, 10], [100, 0]), { at: 50, off: null })
  assert.deepEqual(place(-1, [0, 10], [100, 0]), { at: 100, off: 'low' })
  assert.deepEqual(place(11, [0, 10], [100, 0]), { at: 0, off: 'high' })
  assert.equal(place(null, [0, 10], [100, 0]), null)
})

test('each pair of architectures once', () => {
  assert.deepEqual(pairs(3), [
    [0, 1],
    [0, 2],
    [1, 2],
  ])
  assert.deepEqual(pairs(1), [])
})

test('dots lie at their two accuracies, and the stairs run along the best of them', () => {
  // A plot of 100 by 100 at (48, 14): one pixel a percent.
  const points = [
    { number: 1, scores: [0.2, 0.8] },
    { number: 2, scores: [0.6, 0.5] },
    { number: 3, scores: [0.1, 0.4] },
  ]
  const domains = [
    [0, 1],
    [0, 1],
  ] as const
  const { dots, stairs, off } = scatter(points, [0, 1], domains, { width: 164, height: 152 })
  const near = (value: number): number => Math.round(value * 1e6) / 1e6
  assert.deepEqual(
    dots.map((dot) => [dot.number, near(dot.x), near(dot.y)]),
    [
      [1, 68, 34],
      [2, 108, 64],
      [3, 58, 74],
    ],
  )
  assert.equal(off, 0)
  assert.equal(stairs, 'M48,34V34H68V64H108V114')
  assert.equal(nearestDot(dots, { x: 70, y: 36 }, 10), 1)
  assert.equal(nearestDot(dots, { x: 90, y: 100 }, 10), null)
})
