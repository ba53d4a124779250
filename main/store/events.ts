import type { StoredEvent } from '../../shared/contract.ts'
import { numberOf, numberOrNull, text, textOrNull, type Database, type Row } from './database.ts'
import { lineageNode, NODE_COLUMNS } from './rows.ts'

/** Appends "this changed" to the log; what it is now is read when the event is. `number` null: the search itself. */
export const emit = (db: Database, key: number, number: number | null): void => {
  db.run('INSERT INTO events (search, number, time) VALUES (?, ?, ?)', key, number, new Date().toISOString())
}

/** Appends "this promotion changed". */
export const emitPromotion = (db: Database, id: string): void => {
  db.run('INSERT INTO events (search, promotion, time) VALUES (0, ?, ?)', id, new Date().toISOString())
}

export const newestSeq = (db: Database): number =>
  numberOf(db.get("SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) AS seq")!, 'seq')

/**
 * Stored events after `since`, oldest first, at most `limit` rows of the log; of several about one candidate (or
 * promotion) only the last is kept, since each carries the newest state. `next` is where to go on.
 */
export const eventsSince = (
  db: Database,
  since: number,
  limit: number,
): { events: StoredEvent[]; next: number } => {
  const rows = db.all(
    'SELECT e.seq, e.search AS key, s.id, e.number, e.promotion, e.time FROM events e LEFT JOIN searches s ON s.key = e.search ' +
      'WHERE e.seq > ? ORDER BY e.seq LIMIT ?',
    since,
    limit,
  )
  const about = (row: Row): string => `${row['key']} ${row['number']} ${row['promotion']}`
  const last = new Map(rows.map((row) => [about(row), row]))
  const events: StoredEvent[] = []
  for (const row of rows) {
    if (last.get(about(row)) !== row) continue
    const number = numberOrNull(row, 'number')
    const promotion = textOrNull(row, 'promotion')
    const head = { seq: numberOf(row, 'seq'), time: text(row, 'time') }
    if (promotion !== null) events.push({ ...head, kind: 'transfer', promotion })
    else if (number === null) events.push({ ...head, kind: 'search', search: text(row, 'id') })
    else {
      const found = db.get(
        `SELECT ${NODE_COLUMNS} FROM candidates WHERE search = ? AND number = ?`,
        numberOf(row, 'key'),
        number,
      )
      if (found)
        events.push({ ...head, kind: 'candidate', search: text(row, 'id'), node: lineageNode(found) })
    }
  }
  return { events, next: rows.length > 0 ? numberOf(rows.at(-1)!, 'seq') : since }
}
