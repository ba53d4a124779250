import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { frechetDistance, gaussianOf, type Features } from '../../../main/engine/metrics/frechet.ts'
import { inceptionScore } from '../../../main/engine/metrics/inceptionScore.ts'
import { frechetCase, inceptionCase } from './synthesis-cases.ts'

const REFERENCE = JSON.parse(
  readFileSync(new URL('../../reference/synthesis.json', import.meta.url), 'utf8'),
) as { frechet: number[]; inception: [mean: number, deviation: number][] }

test("50 Fréchet distances equal SciPy's, singular covariances included", () => {
  let singular = 0
  REFERENCE.frechet.forEach((wanted, i) => {
    const [a, b] = frechetCase(i + 1)
    if (Math.min(a.samples, b.samples) <= a.dimensions) singular++
    const got = frechetDistance(gaussianOf(a), gaussianOf(b))
    assert.ok(Math.abs(got - wanted) < 1e-6 * wanted, `case ${i + 1}: ${got}, not ${wanted}`)
  })
  assert.ok(singular >= 10, `${singular} singular cases`)
})

test("50 Inception Scores equal SciPy's entropies", () => {
  REFERENCE.inception.forEach(([mean, deviation], i) => {
    const { probabilities, splits } = inceptionCase(i + 1)
    const got = inceptionScore(probabilities, splits)
    assert.ok(Math.abs(got.mean - mean) < 1e-8 * mean, `case ${i + 1}: ${got.mean}, not ${mean}`)
    assert.ok(
      Math.abs(got.deviation - deviation) < 1e-8,
      `case ${i + 1}: ±${got.deviation}, not ${deviation}`,
    )
  })
})

const features = (dimensions: number, ...values: number[]): Features => ({
  values: Float64Array.from(values),
  samples: values.length / dimensions,
  dimensions,
})

test('one feature: squared difference of means and of standard deviations', () => {
  // Means 0 and 3, variances 2 and 8: 3² + 2 + 8 − 2·√16 = 11.
  const distance = frechetDistance(gaussianOf(features(1, -1, 1)), gaussianOf(features(1, 1, 5)))
  assert.ok(Math.abs(distance - 11) < 1e-12)
})

test('a set is at no distance from itself, of any rank, and from a constant one at its variance', () => {
  const [a, b] = frechetCase(40)
  for (const set of [a, b]) assert.ok(frechetDistance(gaussianOf(set), gaussianOf(set)) < 1e-6)
  const spread = frechetDistance(gaussianOf(features(1, -1, 1)), gaussianOf(features(1, 0, 0)))
  assert.ok(Math.abs(spread - 2) < 1e-12)
})

test('scores at both ends: one for samples all alike, the number of classes for sure ones of all classes', () => {
  const alike = { values: Float32Array.of(0.25, 0.75, 0.25, 0.75), samples: 2, classes: 2 }
  assert.ok(Math.abs(inceptionScore(alike, 1).mean - 1) < 1e-7)
  const sure = { values: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), samples: 3, classes: 3 }
  assert.ok(Math.abs(inceptionScore(sure, 1).mean - 3) < 1e-7)
})

test('what cannot be scored is refused with what was needed and what came', () => {
  assert.throws(() => gaussianOf(features(2, 1, 2)), /at least 2 samples, got 1/)
  assert.throws(() => gaussianOf(features(1, 1, NaN)), /finite features, got NaN in sample 1/)
  assert.throws(() => gaussianOf({ ...features(1, 1, 2), samples: 3 }), /3 × 1 = 3 features, got 2/)
  assert.throws(
    () => frechetDistance(gaussianOf(features(1, 1, 2)), gaussianOf(features(2, 1, 2, 3, 5))),
    /one size, got 1 and 2 dimensions/,
  )
  const odd = { values: Float64Array.of(0.5, 0.6), samples: 1, classes: 2 }
  assert.throws(() => inceptionScore(odd, 1), /sum to 1, got a sum of 1.1 in sample 0/)
  assert.throws(() => inceptionScore({ ...odd, samples: 2 }, 1), /2 × 2 = 4 probabilities, got 2/)
  assert.throws(() => inceptionScore(odd), /each of 10 splits, got 1/)
})
