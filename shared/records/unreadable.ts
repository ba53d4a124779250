/** Entries of a list that can't be read: each is shown by itself, so that the others are there. */
import { z } from 'zod'
import { problemOf, valueAt } from './problem.ts'
import type { Of } from './shapes.ts'

export const unreadableSchema = z.object({
  /** What can be told of it; `why`: what was needed, and what it got instead. */
  unreadable: z.object({ id: z.string(), name: z.string(), why: z.string() }),
})
export type Unreadable = Of<typeof unreadableSchema>

/** What is said in place of a record. */
export const unreadableText = (why: string): string => `cannot be read: ${why}`

/**
 * A list whose entries are checked one by one: what comes as unreadable, or is none of the entries that the schema knows,
 * is an entry of its own. `name`: where an entry has its id and its name.
 */
export const listOf = <S extends z.ZodType>(
  entry: S,
  name: { readonly id: readonly string[]; readonly name: readonly string[] },
) => {
  const textAt = (value: unknown, path: readonly string[]): string => {
    const found = valueAt(value, path)
    return typeof found === 'string' ? found : ''
  }
  return z.array(
    z.unknown().transform((value): z.output<S> | z.output<typeof unreadableSchema> => {
      const told = unreadableSchema.safeParse(value)
      if (told.success) return told.data
      const parsed = entry.safeParse(value)
      if (parsed.success) return parsed.data
      const why = problemOf(parsed.error, value)
      return { unreadable: { id: textAt(value, name.id), name: textAt(value, name.name), why } }
    }),
  )
}

export const isUnreadable = (entry: object): entry is Unreadable => 'unreadable' in entry

/** The entries of a list that could be read. */
export const readable = <T extends object>(list: readonly (T | Unreadable)[]): T[] =>
  list.filter((entry): entry is T => !isUnreadable(entry))

/** The entries of a list that could not. */
export const unreadableOf = (list: readonly object[]): Unreadable[] => list.filter(isUnreadable)
