import type { Search } from '../../shared/records.ts'
import type { Database } from '../store/database.ts'
import { listSearches } from '../store/searches.ts'
import { UserError } from './errors.ts'

/** The search whose id begins so. Throws a UserError when there is none, or more than one. */
export const findSearch = (db: Database, prefix: string): Search => {
  const found = listSearches(db).filter(({ id }) => id.startsWith(prefix))
  const [search] = found
  if (!search) throw new UserError(`there is no search "${prefix}"; "list" shows those there are`)
  if (found.length > 1)
    throw new UserError(`"${prefix}" needs more characters: ${found.map(({ id }) => id).join(', ')} begin so`)
  return search
}
