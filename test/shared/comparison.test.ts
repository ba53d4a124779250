import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compare,
  correct,
  differenceOf,
  judged,
  sampleOf,
  yardstick,
  type ComparedLayer,
  type Sample,
} from '../../shared/comparison.ts'
import type { Measure, StoredRun, TransferOutcome } from '../../shared/transfer.ts'

const close = (got: number | null, needed: number): void =>
  assert.ok(got !== null && Math.abs(got - needed) < 1e-12, `needed ${needed}, got ${got}`)

/** Values of the seeds 1, 2, … */
const sample = (...values: number[]): Sample => sampleOf(values.map((value, i) => ({ seed: i + 1, value })))
const judge = (a: Sample, b: Sample, better: 'higher' | 'lower', others: number[] = []) =>
  judged(differenceOf(a, b)!, others, better)

test('a spread is the standard deviation of a sample', () => {
  // (1 + 4 + 1) / 3 = 2 around the mean; ((1)² + (2)² + (1)²) / (3 − 1) = 3.
  const { mean, spread } = sample(1, 4, 1)
  close(mean, 2)
  close(spread, Math.sqrt(3))
  assert.equal(sample(5).spread, null)
})

test('layers are compared seed by seed: a constant lead tells more than a wide spread hides', () => {
  // Differences 1, 1.1, 0.9: mean 1, deviation 0.1, t = 1 / (0.1 / √3) = 17.3 with 2 degrees of freedom.
  const [a, b] = [sample(10, 20.1, 29.9), sample(9, 19, 29)]
  const { difference, pairs, p, verdict } = judge(a, b, 'higher')
  close(difference, 1)
  assert.equal(pairs, 3)
  assert.ok(p! > 0.003 && p! < 0.004, `p ${p}`)
  assert.equal(verdict, 'better')
  assert.equal(judge(a, b, 'lower').verdict, 'worse')
  assert.equal(judge(b, a, 'higher').verdict, 'worse')
})

test('a difference of more than one deviation is no verdict yet', () => {
  // Differences 1, 2.5, 0.4: mean 1.3, deviation 1.08: t = 2.08, p = 0.17.
  const { p, verdict } = judge(sample(11, 12.5, 10.4), sample(10, 10, 10), 'higher')
  assert.ok(p! > 0.15 && p! < 0.2, `p ${p}`)
  assert.equal(verdict, 'noise')
})

test('seeds that one of both lacks are left out; with fewer than two pairs nothing is said', () => {
  const some = sampleOf([
    { seed: 2, value: 5 },
    { seed: 9, value: 100 },
  ])
  const found = judge(some, sample(1, 2, 3), 'higher')
  assert.deepEqual([found.difference, found.pairs, found.p, found.verdict], [3, 1, null, 'open'])
  assert.equal(differenceOf(sampleOf([{ seed: 9, value: 1 }]), sample(1, 2)), null)
})

test('the more layers were tried, the more one of them has to show', () => {
  const [a, b] = [sample(10, 20.3, 30.6), sample(9, 19, 29)]
  const alone = judge(a, b, 'higher')
  assert.equal(alone.verdict, 'better')
  const among = judge(a, b, 'higher', [0.4, 0.7, 0.9, 0.5, 0.6, 0.8])
  close(among.corrected, 7 * alone.p!)
  assert.deepEqual([among.tried, among.verdict], [7, 'noise'])
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
  seed = 1,
) => ({
  fingerprint,
  seed,
  state,
  result: outcome && { outcome, step: 9, reason: null, measures, parameters: 1, seconds: 1 },
})

test('runs that did not finish are counted, and left out of the means', () => {
  const runs = [
    run('a', 'finished', { fid: 20 }),
    run('b', 'finished', { fid: 30, small: 0.5 }),
    run('a', 'finished', { fid: 22 }, 'done', 2),
    run('b', 'finished', { fid: 32.2 }, 'done', 2),
    run('a', 'collapsed', { fid: 400 }, 'done', 3),
    run('b', 'diverged', { fid: 500 }, 'done', 3),
    run('a', null, {}, 'failed', 4),
    run('b', null, {}, 'queued', 4),
  ]
  const [mine, baseline] = compare(LAYERS, runs, MEASURES)
  assert.deepEqual(mine!.runs, { finished: 2, diverged: 0, collapsed: 1, failed: 1, left: 0 })
  assert.deepEqual(baseline!.runs, { finished: 2, diverged: 1, collapsed: 0, failed: 0, left: 1 })
  assert.deepEqual(mine!.measures['fid']!.values, [20, 22])
  assert.deepEqual(mine!.measures['fid']!.seeds, [1, 2])
  assert.deepEqual(mine!.against, {})
  const { difference, pairs, verdict } = baseline!.against['fid']!
  close(difference, -10.1)
  assert.deepEqual([pairs, verdict], [2, 'better'])
  assert.deepEqual(baseline!.measures['small'], {
    mean: 0.5,
    spread: null,
    interval: null,
    values: [0.5],
    seeds: [1],
  })
  assert.equal('small' in baseline!.against, false, 'the layer has no such measure')
})

const of = (fingerprint: string, values: readonly number[], lost = 0) => [
  ...values.map((fid, i) => run(fingerprint, 'finished', { fid }, 'done', i + 1)),
  ...Array.from({ length: lost }, (_, i) => run(fingerprint, 'diverged', {}, 'done', 100 + i)),
]

test('a layer is not better on the seeds that it survived', () => {
  const fid = MEASURES['fid']!
  const verdictOf = (lost: number, baselineLost: number) =>
    compare(LAYERS, [...of('a', [1, 2.1, 3], lost), ...of('b', [11, 12, 13], baselineLost)], { fid })[1]!
      .against['fid']!.verdict
  assert.deepEqual([verdictOf(0, 0), verdictOf(1, 0), verdictOf(1, 1)], ['better', 'open', 'better'])
})

test('a comparison is corrected for those of other layers with the same baseline', () => {
  const fid = MEASURES['fid']!
  const baseline = of('b', [11, 12, 13])
  const rowsOf = (values: readonly number[]) => compare(LAYERS, [...of('a', values), ...baseline], { fid })
  const mine = rowsOf([9, 10.6, 10.2])
  assert.equal(mine[1]!.against['fid']!.verdict, 'better')
  const others = [rowsOf([10, 13, 14]), rowsOf([12, 11, 13])]
  const [, corrected] = correct(mine, others, { fid })
  assert.deepEqual([corrected!.against['fid']!.tried, corrected!.against['fid']!.verdict], [3, 'noise'])
  // A promotion beside other baselines says nothing about this one.
  const elsewhere = others.map((rows) => rows.map((row) => ({ ...row, fingerprint: 'c' })))
  assert.equal(correct(mine, elsewhere, { fid })[1]!.against['fid']!.tried, 1)
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
