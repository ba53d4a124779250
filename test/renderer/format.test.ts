import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ago,
  bytes,
  compact,
  count,
  duration,
  durationRange,
  measured,
  percent,
  plural,
  points,
} from '../../renderer/format.ts'

const cases = <T extends readonly unknown[]>(
  format: (...value: T) => string,
  table: readonly (readonly [string, ...T])[],
): void => {
  for (const [expected, ...value] of table) assert.equal(format(...value), expected, JSON.stringify(value))
}

test('shares and their differences', () => {
  cases(percent, [
    ['87.3%', 0.8734],
    ['–', null],
    ['100.0%', 1],
  ])
  cases(points, [
    ['+1.2', 0.0123],
    ['−0.4', -0.0042],
    ['0.0', 0.0004],
    ['0.0', -0.0004],
  ])
})

test('times, and ranges of them in one unit', () => {
  cases(duration, [
    ['0 s', -3],
    ['8 s', 8.2],
    ['4 min 20 s', 260],
    ['20 min', 1215],
    ['3 h 05 min', 11_100],
    ['2 d 4 h', 187_200],
  ])
  cases(durationRange, [
    ['3–5 min', 180, 300],
    ['about 5 min', 290, 310],
    ['up to 2 min', 10, 90],
    ['under 1 s', 0.1, 0.4],
    ['20–80 s', 20, 80],
    ['1.5–2.5 h', 5400, 9000],
  ])
})

test('sizes, counts and measurements', () => {
  cases(bytes, [
    ['–', null],
    ['999 B', 999],
    ['1.5 kB', 1500],
    ['412 MB', 412_000_000],
  ])
  cases(count, [['41,203', 41_203]])
  cases(compact, [
    ['999', 999],
    ['35.8 k', 35_842],
    ['1.20 M', 1_200_000],
  ])
  cases(measured, [
    ['not finite', null],
    ['0', 0],
    ['0.182', 0.1823],
    ['1.4e12', 1.4e12],
    ['2.0e-5', 2e-5],
  ])
  assert.equal(plural(2, 'search', 'searches'), '2 searches')
  cases(plural, [
    ['1 candidate', 1, 'candidate'],
    ['3 candidates', 3, 'candidate'],
  ])
})

test('how long ago', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  const at = (iso: string): string => ago(iso, now)
  cases(at, [
    ['just now', '2026-03-01T11:59:30Z'],
    ['12 min ago', '2026-03-01T11:48:00Z'],
    ['3 h ago', '2026-03-01T09:00:00Z'],
    ['2026-02-20', '2026-02-20T00:00:00Z'],
  ])
})
