/** Axes that stay readable when something diverged: what lies far out is counted at the edge and not dropped. */
import { quantileSorted, scaleLinear } from 'd3'

export type Domain = readonly [low: number, high: number]

/**
 * A domain for `values` that a few far-out ones cannot spoil: the middle 98 % widened by its own tenth (five times
 * its own spread is the furthest a value still stretches it). `include` are always inside.
 */
export const robustDomain = (values: readonly number[], include: readonly number[] = []): Domain => {
  // A typed array is sorted by value, many times faster than by a comparison.
  const sorted = Array.from(Float64Array.from(values.filter(Number.isFinite)).sort())
  const fixed = include.filter(Number.isFinite)
  if (sorted.length === 0 && fixed.length === 0) return [0, 1]
  const [q25, q75] = [quantileSorted(sorted, 0.25) ?? fixed[0]!, quantileSorted(sorted, 0.75) ?? fixed[0]!]
  const reach = Math.max(5 * (q75 - q25), 1e-9)
  const kept = sorted.filter((value) => value >= q25 - reach && value <= q75 + reach)
  const all = [...kept, ...fixed]
  const low = all.reduce((least, value) => Math.min(least, value), Infinity)
  const high = all.reduce((most, value) => Math.max(most, value), -Infinity)
  const pad = high > low ? (high - low) * 0.06 : Math.max(Math.abs(high) * 0.06, 0.01)
  return [low - pad, high + pad]
}

/** The same, kept within 0..1: for accuracies. */
export const accuracyDomain = (values: readonly number[], include: readonly number[] = []): Domain => {
  const [low, high] = robustDomain(values, include)
  return [Math.max(0, low), Math.min(1, high)]
}

export type Tick = { readonly value: number; readonly at: number }

/** Round values of a domain with their pixels. */
export const ticks = (domain: Domain, range: readonly [number, number], count: number): Tick[] => {
  const scale = scaleLinear([...domain], [...range])
  return scale.ticks(count).map((value) => ({ value, at: scale(value) }))
}

/** Where a value is drawn: its pixel, or the edge it lies beyond. */
export const place = (
  value: number | null,
  domain: Domain,
  range: readonly [number, number],
): { readonly at: number; readonly off: 'low' | 'high' | null } | null => {
  if (value === null || Number.isNaN(value)) return null
  if (value < domain[0]) return { at: range[0], off: 'low' }
  if (value > domain[1]) return { at: range[1], off: 'high' }
  const span = domain[1] - domain[0]
  return { at: range[0] + ((value - domain[0]) / (span || 1)) * (range[1] - range[0]), off: null }
}
