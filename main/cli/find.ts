import type { Search } from '../../shared/records.ts'
import { isUnreadable, unreadableText, type Unreadable } from '../../shared/records/unreadable.ts'
import type { Database } from '../store/database.ts'
import { readSearches } from '../store/searches.ts'
import { UserError } from './errors.ts'

/** The search whose id begins so. Throws a UserError when there is none, more than one, or it can't be read. */
export const findSearch = (db: Database, prefix: string): Search => {
  const found = readSearches(db).filter((search) => idOf(search).startsWith(prefix))
  const [search] = found
  if (!search) throw new UserError(`there is no search "${prefix}"; "list" shows those there are`)
  if (found.length > 1)
    throw new UserError(`"${prefix}" needs more characters: ${found.map(idOf).join(', ')} begin so`)
  if (isUnreadable(search))
    throw new UserError(`search ${idOf(search)} ${unreadableText(search.unreadable.why)}`)
  return search
}

const idOf = (search: Search | Unreadable): string =>
  isUnreadable(search) ? search.unreadable.id : search.id
