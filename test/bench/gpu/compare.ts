import type { Group } from './cases.ts'
import type { CaseResult } from './child.ts'

/**
 * How far numbers may lie from the CPU's, as a share of the largest of their kind. Two devices add in different orders: layers by
 * themselves differ by rounding alone; a network's steps, its maxima and second derivatives enlarge that. bfloat16 has 8 bits of fraction.
 */
export const TOLERANCES: Readonly<Record<Group, number>> = {
  primitives: 1e-4,
  layers: 1e-4,
  networks: 5e-3,
  bfloat16: 0.1,
  second: 1e-2,
  tasks: 1e-2,
}

export type Difference = {
  readonly name: string
  /** The numbers of the case that differ. */
  readonly what: string
  /** Largest difference, as a share of the largest wanted number; infinite where something is missing or not a number. */
  readonly share: number
}

/** Each case's worst numbers, in the cases' order. */
export const differences = (got: readonly CaseResult[], wanted: readonly CaseResult[]): Difference[] =>
  wanted.map(({ name, numbers }) => {
    const other = got.find((each) => each.name === name)?.numbers ?? {}
    const all = Object.entries(numbers).map(([what, values]) => ({
      name,
      what,
      share: shareOf(other[what] ?? [], values),
    }))
    const nothing = { name, what: 'anything', share: Infinity }
    return all.reduce((worst, each) => (each.share > worst.share ? each : worst), all[0] ?? nothing)
  })

/** JSON has no NaN or infinity: both sides then have null, which is right only where both have it. */
type Value = number | null
const shareOf = (got: readonly Value[], wanted: readonly Value[]): number => {
  if (got.length !== wanted.length || wanted.length === 0) return Infinity
  const largest = Math.max(1e-6, ...wanted.map((value) => Math.abs(value ?? 0)))
  return Math.max(
    ...wanted.map((value, i) => {
      const other = got[i] ?? null
      if (value === null || other === null) return value === other ? 0 : Infinity
      return Math.abs(value - other) / largest
    }),
  )
}
