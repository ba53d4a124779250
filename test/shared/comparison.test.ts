import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, differenceOf, sampleOf, yardstick, type ComparedLayer } from '../../shared/comparison.ts'
import type { Measure, StoredRun, TransferOutcome } from '../../shared/transfer.ts'

const close = (got: number | null, needed: number): void =>
  assert.ok(got !== null && Math.abs(got - needed) < 1e-12, `needed ${needed}, got ${got}`)

test('a spread is the standard deviation of a sample', () => {
  // (1 + 4 + 1) / 3 = 2 around the mean; ((1)² + (2)² + (1)²) / (3 − 1) = 3.
  const sample = sampleOf([1, 4, 1])
  close(sample.mean, 2)
  close(sample.spread, Math.sqrt(3))
  assert.equal(sampleOf([5]).spread, null)
})

test('a difference is within noise up to the pooled spread, and a judgement beyond it', () => {
  // Spreads 1 and 1, three seeds each: pooled √((2·1 + 2·1) / 4) = 1.
  const [a, b, c] = [sampleOf([9, 10, 11]), sampleOf([10, 11, 12]), sampleOf([10.5, 11.5, 12.5])]
  assert.deepEqual(differenceOf(a, b, 'higher'), { difference: -1, pooled: 1, verdict: 'noise' })
  assert.deepEqual(differenceOf(a, c, 'higher'), { difference: -1.5, pooled: 1, verdict: 'worse' })
  assert.deepEqual(differenceOf(a, c, 'lower'), { difference: -1.5, pooled: 1, verdict: 'better' })
  assert.deepEqual(differenceOf(c, a, 'higher').verdict, 'better')
  // Two seeds with spread √2 and three with 1: √((1·2 + 2·1) / 3) = √(4/3).
  const two = sampleOf([8, 10])
  close(differenceOf(two, a, 'higher').pooled, Math.sqrt(4 / 3))
})

test('without a spread on either side nothing is said', () => {
  const difference = differenceOf(sampleOf([3]), sampleOf([1, 2]), 'higher')
  assert.deepEqual(difference, { difference: 1.5, pooled: null, verdict: 'open' })
})

const MEASURES: Record<string, Measure> = {
  fid: { label: 'FID', unit: 'points', better: 'lower', help: '' },
  small: { label: 'small', unit: 'fraction', better: 'higher', help: '' },
}
const LAYERS: readonly ComparedLayer[] = [
  { fingerprint: 'a', label: 'mine', role: 'layer' },
  { fingerprint: 'b', label: 'BN-ReLU', role: 'baseline' },
]
const run = (
  fingerprint: string,
  outcome: TransferOutcome['outcome'] | null,
  measures: Record<string, number> = {},
  state: StoredRun['state'] = 'done',
) => ({
  fingerprint,
  state,
  result: outcome && { outcome, step: 9, reason: null, measures, parameters: 1, seconds: 1 },
})

test('runs that did not finish are counted, and left out of the means', () => {
  const runs = [
    run('a', 'finished', { fid: 20 }),
    run('b', 'finished', { fid: 30, small: 0.5 }),
    run('a', 'finished', { fid: 22 }),
    run('b', 'finished', { fid: 32 }),
    run('a', 'collapsed', { fid: 400 }),
    run('b', 'diverged', { fid: 500 }),
    run('a', null, {}, 'failed'),
    run('b', null, {}, 'queued'),
  ]
  const [mine, baseline] = compare(LAYERS, runs, MEASURES)
  assert.deepEqual(mine!.runs, { finished: 2, diverged: 0, collapsed: 1, failed: 1, left: 0 })
  assert.deepEqual(baseline!.runs, { finished: 2, diverged: 1, collapsed: 0, failed: 0, left: 1 })
  assert.deepEqual(mine!.measures['fid']!.values, [20, 22])
  assert.deepEqual(mine!.against, {})
  // 21 against 31, both with spread √2.
  const { difference, pooled, verdict } = baseline!.against['fid']!
  assert.deepEqual([difference, verdict], [-10, 'better'])
  close(pooled, Math.SQRT2)
  assert.deepEqual(baseline!.measures['small'], { mean: 0.5, spread: null, values: [0.5] })
  assert.equal('small' in baseline!.against, false, 'the layer has no such measure')
})

test('the yardstick is what the first run to end measured of real data, and takes no part in the comparison', () => {
  const fid: Measure = { ...MEASURES['fid']!, real: { name: 'realFid', help: '' } }
  const runs = [
    run('a', null, {}, 'queued'),
    run('b', 'diverged', { fid: 90, realFid: 2 }),
    run('a', 'finished', { fid: 30, realFid: 2 }),
  ]
  assert.deepEqual(yardstick(runs, { fid }), { fid: 2 })
  assert.deepEqual(yardstick(runs.slice(0, 1), { fid }), {})
  assert.deepEqual(yardstick(runs, MEASURES), {}, 'a measure without one')
  assert.deepEqual(Object.keys(compare(LAYERS, runs, { fid })[0]!.measures), ['fid'])
})
