import { z } from 'zod'
import { whole } from '../records/fields.ts'
import type { Of } from '../records/shapes.ts'

export const waitingSchema = z.discriminatedUnion('for', [
  /** A search that has the workers. */
  z.object({ for: z.literal('search'), name: z.string() }),
  /** Promotions before it; its place in line, from 2 on. */
  z.object({ for: z.literal('line'), place: whole }),
])
/** Why nothing of a promotion in line is under way. */
export type Waiting = Of<typeof waitingSchema>

export const waitingText = (waiting: Waiting): string =>
  waiting.for === 'search' ? `waits for search “${waiting.name}”` : `${ordinal(waiting.place)} in line`

/** "2nd", "13th". */
const ordinal = (n: number): string => {
  const teen = n % 100 >= 11 && n % 100 <= 13
  return `${n}${(teen ? undefined : (['', 'st', 'nd', 'rd'] as const)[n % 10]) || 'th'}`
}
