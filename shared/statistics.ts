/** Student's t for few runs: intervals of means, paired tests, and the correction for several of them. */
import jStat from 'jstat'
import { mean } from './pareto.ts'
import { LEVEL } from './significance.ts'

export type Interval = { readonly low: number; readonly high: number }

/** Sample standard deviation (n − 1); null for fewer than two values. */
export const deviation = (values: readonly number[]): number | null => {
  if (values.length < 2) return null
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** Where the mean lies in 95 of 100 samples like this one; null for fewer than two values. */
export const intervalOf = (values: readonly number[]): Interval | null => {
  const spread = deviation(values)
  if (spread === null) return null
  const reach = jStat.studentt.inv(1 - LEVEL / 2, values.length - 1) * (spread / Math.sqrt(values.length))
  return { low: mean(values) - reach, high: mean(values) + reach }
}

/**
 * Two-sided p of a t-test on paired differences: how often a mean at least as far from 0 comes by chance where there is no
 * difference. Null for fewer than two pairs.
 */
export const pairedP = (differences: readonly number[]): number | null => {
  const spread = deviation(differences)
  if (spread === null) return null
  const middle = mean(differences)
  if (spread === 0) return middle === 0 ? 1 : 0
  const t = (Math.abs(middle) * Math.sqrt(differences.length)) / spread
  return 2 * jStat.studentt.cdf(-t, differences.length - 1)
}

/**
 * Holm's correction (1979): each p as it counts among all of them, so that the chance of even one false "different"
 * stays below the level, however they depend on one another.
 */
export const holm = (ps: readonly number[]): number[] => {
  const order = [...ps.keys()].sort((a, b) => ps[a]! - ps[b]!)
  const adjusted = new Array<number>(ps.length)
  let least = 0
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (ps.length - rank) * ps[i]!))
    adjusted[i] = least
  }
  return adjusted
}

/** The value below which a share of a sample lies, between two of them in proportion (as NumPy's default). */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const next = sorted[Math.min(below + 1, sorted.length - 1)]!
  return sorted[below]! + (place - below) * (next - sorted[below]!)
}
