import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pText } from '../../shared/significance.ts'
import { deviation, holm, intervalOf, pairedP } from '../../shared/statistics.ts'

/** Made by SciPy: statistics.py beside it. */
const REFERENCE = JSON.parse(
  readFileSync(new URL('../reference/statistics.json', import.meta.url), 'utf8'),
) as {
  pairs: ({ a: number[]; b: number[] } & Record<
    'difference' | 'p' | 'low' | 'high' | 'meanLow' | 'meanHigh' | 'deviation',
    number
  >)[]
  families: { ps: number[]; corrected: number[] }[]
}

const close = (got: number, needed: number, what: string): void =>
  assert.ok(Math.abs(got - needed) <= 1e-8 + 1e-7 * Math.abs(needed), `${what}: needed ${needed}, got ${got}`)

test("paired t-tests and intervals are SciPy's", () => {
  for (const { a, b, ...needed } of REFERENCE.pairs) {
    const differences = a.map((value, i) => value - b[i]!)
    const [own, paired] = [intervalOf(a)!, intervalOf(differences)!]
    close(pairedP(differences)!, needed.p, 'p')
    close(paired.low, needed.low, 'low')
    close(paired.high, needed.high, 'high')
    close(own.low, needed.meanLow, "the mean's low")
    close(own.high, needed.meanHigh, "the mean's high")
    close(deviation(a)!, needed.deviation, 'deviation')
  }
})

test("Holm's correction is the reference's, ties and single tests included", () => {
  for (const { ps, corrected } of REFERENCE.families)
    holm(ps).forEach((p, i) => close(p, corrected[i]!, `of ${ps.join(', ')}`))
})

test('a single value has no spread, equal differences no chance', () => {
  assert.equal(deviation([1]), null)
  assert.equal(intervalOf([1]), null)
  assert.equal(pairedP([1]), null)
  assert.equal(pairedP([0, 0, 0]), 1)
  assert.equal(pairedP([2, 2]), 0)
})

test('one layer in twenty looks better by chance; after the correction hardly ever one of many does', () => {
  // Ten layers that are all the baseline: differences are noise alone.
  let [any, corrected] = [0, 0]
  let state = 1
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  const families = 400
  for (let n = 0; n < families; n++) {
    const ps = Array.from({ length: 10 }, () => pairedP([normal(), normal(), normal()])!)
    if (ps.some((p) => p < 0.05)) any++
    if (holm(ps).some((p) => p < 0.05)) corrected++
  }
  assert.ok(any / families > 0.3 && any / families < 0.5, `1 − 0.95¹⁰ is 0.40, got ${any / families}`)
  assert.ok(corrected / families < 0.09, `needed about 0.05, got ${corrected / families}`)
})

test('p is told in as many digits as it bears', () => {
  assert.deepEqual([0.0004, 0.0123, 0.31].map(pText), ['< 0.001', '0.01', '0.31'])
})
