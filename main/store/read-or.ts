import { UnreadableError } from '../../shared/records/record.ts'
import type { Unreadable } from '../../shared/records/unreadable.ts'

/** What `read` gives, or in its place why it can't be read, with what else is known of it. */
export const readOr = <T>(
  read: () => T,
  { id, name }: { readonly id: string; readonly name: string },
): T | Unreadable => {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableError) return { unreadable: { id, name, why: error.message } }
    throw error
  }
}
