/** Sets of candidate numbers that are replaced and never changed in place. */
export type Numbers = ReadonlySet<number>

export const NO_NUMBERS: Numbers = new Set()

export const numbersOf = (items: Iterable<{ readonly number: number }>): Numbers =>
  new Set([...items].map((item) => item.number))

/** All that are in any of the lists. */
export const joined = (...lists: readonly Iterable<number>[]): Numbers =>
  new Set(lists.flatMap((list) => [...list]))

/** The same with `number` in or out of it. */
export const toggled = (numbers: Numbers, number: number): Numbers => {
  const copy = new Set(numbers)
  if (!copy.delete(number)) copy.add(number)
  return copy
}
