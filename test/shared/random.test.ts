import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../shared/random.ts'

test('the same keys give the same numbers, other keys others', () => {
  const draw = (...keys: (string | number)[]) => {
    const random = createRandom(...keys)
    return Array.from({ length: 8 }, () => random.next())
  }
  assert.deepEqual(draw('search', 1, 7), draw('search', 1, 7))
  for (const other of [draw('search', 1, 8), draw('search', 17), draw('search', 2, 7)])
    assert.notDeepEqual(draw('search', 1, 7), other)
})

test('the first numbers of a seed never change, on any machine', () => {
  const random = createRandom('fixed')
  assert.deepEqual(
    Array.from({ length: 4 }, () => random.below(1_000_000)),
    [408335, 794909, 579359, 160662],
  )
})

test('below is uniform: chi-square of 60,000 draws over 24 cells stays under its 0.1 % bound', () => {
  const random = createRandom('below')
  const counts = new Array<number>(24).fill(0)
  for (let i = 0; i < 60_000; i++) counts[random.below(24)]!++
  const expected = 60_000 / 24
  const chi = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  assert.ok(chi < 49.7, `chi-square ${chi} with 23 degrees of freedom`)
})

test('normal has mean 0, variance 1 and the normal share within one deviation', () => {
  const random = createRandom('normal')
  const values = Array.from({ length: 40_000 }, () => random.normal())
  const mean = values.reduce((a, b) => a + b) / values.length
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
  const within = values.filter((v) => Math.abs(v) < 1).length / values.length
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.03 && Math.abs(within - 0.6827) < 0.01)
})

test('sample gives different items and leaves the list as it was; pick refuses an empty list', () => {
  const random = createRandom('sample')
  const items = [1, 2, 3, 4, 5]
  const drawn = random.sample(items, 3)
  assert.equal(new Set(drawn).size, 3)
  assert.deepEqual(items, [1, 2, 3, 4, 5])
  assert.throws(() => random.pick([]), /pick needs at least one item, got none/)
})
