/** Why nothing of a promotion in line is under way. */
export type Waiting =
  /** A search that has the workers. */
  | { readonly for: 'search'; readonly name: string }
  /** Promotions before it; its place in line, from 2 on. */
  | { readonly for: 'line'; readonly place: number }

export const waitingText = (waiting: Waiting): string =>
  waiting.for === 'search' ? `waits for search “${waiting.name}”` : `${ordinal(waiting.place)} in line`

/** "2nd", "13th". */
const ordinal = (n: number): string => {
  const teen = n % 100 >= 11 && n % 100 <= 13
  return `${n}${(teen ? undefined : (['', 'st', 'nd', 'rd'] as const)[n % 10]) || 'th'}`
}
