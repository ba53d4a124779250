/** The order in which a search with asynchronous proposals took its results. */
import { numberOf, type Database } from './database.ts'

/** Candidate `number` was taken into the search's history before candidate `before` was proposed. */
export type Taken = { readonly number: number; readonly before: number }

export const addTaken = (db: Database, key: number, { number, before }: Taken): void => {
  db.write(() =>
    db.run(
      'INSERT INTO taken (search, place, number, before) VALUES ' +
        '(?, 1 + ifnull((SELECT place FROM taken WHERE search = ? ORDER BY place DESC LIMIT 1), -1), ?, ?)',
      key,
      key,
      number,
      before,
    ),
  )
}

/** In the order in which they were taken. */
export const takenOf = (db: Database, key: number): Taken[] =>
  db
    .all('SELECT number, before FROM taken WHERE search = ? ORDER BY place', key)
    .map((row) => ({ number: numberOf(row, 'number'), before: numberOf(row, 'before') }))
