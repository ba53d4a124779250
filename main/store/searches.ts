import { randomBytes } from 'node:crypto'
import { fingerprint } from '../../shared/canonical.ts'
import { knownLayer } from '../../shared/known.ts'
import type { DataReport } from '../../shared/data.ts'
import { DATA_REPORT } from '../../shared/records/data.ts'
import { SEARCH_CONFIG, type SearchConfig } from '../../shared/records/search-config.ts'
import { MADE } from '../../shared/records/made.ts'
import type { Search } from '../../shared/records/search.ts'
import { readable, type Unreadable } from '../../shared/records/unreadable.ts'
import { addCandidate } from './candidates.ts'
import { numberOf, recordOf, text, type Database } from './database.ts'
import { emit } from './events.ts'
import { readOr } from './read-or.ts'
import { searchOf } from './rows.ts'

export type NewSearch = {
  readonly name: string
  readonly config: SearchConfig
  readonly made: Readonly<Record<string, string>>
  readonly data?: DataReport | undefined
}

/** A new search, running, with its baselines as its first candidates. */
export const createSearch = (db: Database, { name, config, made, data }: NewSearch): Search =>
  db.write(() => {
    const id = randomBytes(5).toString('hex')
    db.run(
      "INSERT INTO searches (id, name, created_at, config, state, stage, made) VALUES (?, ?, ?, ?, 'running', 'baselines', ?)",
      id,
      name,
      new Date().toISOString(),
      SEARCH_CONFIG.write(config),
      MADE.write(made),
    )
    const key = keyOf(db, id)
    if (data) db.run('UPDATE searches SET data = ? WHERE key = ?', DATA_REPORT.write(data), key)
    emit(db, key, null)
    for (const [number, baseline] of config.baselines.entries()) {
      const { graph, name } = knownLayer(baseline)
      addCandidate(db, key, {
        number,
        role: 'baseline',
        graph,
        fingerprint: fingerprint(graph),
        origin: { kind: 'known', name },
        verdict: { kind: 'train' },
      })
    }
    return getSearch(db, id)!
  })

/** The row's key. Throws for an unknown id. */
export const keyOf = (db: Database, id: string): number => {
  const row = db.get('SELECT key FROM searches WHERE id = ?', id)
  if (!row) throw new Error(`store: needs the id of a search, got "${id}"`)
  return numberOf(row, 'key')
}

export const getSearch = (db: Database, id: string): Search | null => {
  const row = db.get('SELECT * FROM searches WHERE id = ?', id)
  return row ? searchOf(row) : null
}

/** Newest first; one that can't be read stands in its place. */
export const readSearches = (db: Database): (Search | Unreadable)[] =>
  db
    .all('SELECT * FROM searches ORDER BY key DESC')
    .map((row) => readOr(() => searchOf(row), { id: text(row, 'id'), name: text(row, 'name') }))

/** Those that can be read, newest first. */
export const listSearches = (db: Database): Search[] => readable(readSearches(db))

export type SearchChange = Partial<Pick<Search, 'state' | 'stage' | 'failure'>> & { requeued?: number }

export const updateSearch = (db: Database, key: number, change: SearchChange): void =>
  db.write(() => {
    for (const [column, value] of Object.entries(change))
      if (value !== undefined) db.run(`UPDATE searches SET ${column} = ? WHERE key = ?`, value, key)
    emit(db, key, null)
  })

/** Versions that were not known when the search was made; those kept already stay. */
export const addMade = (db: Database, key: number, made: Search['made']): void =>
  db.write(() => {
    const kept = recordOf(db.get('SELECT made FROM searches WHERE key = ?', key)!, 'made', MADE)
    db.run('UPDATE searches SET made = ? WHERE key = ?', MADE.write({ ...made, ...kept }), key)
  })

/** Running seconds so far; no event, since it changes all the time. */
export const setSeconds = (db: Database, key: number, seconds: number): void => {
  db.write(() => db.run('UPDATE searches SET seconds = ? WHERE key = ?', seconds, key))
}
