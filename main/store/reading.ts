import type { Argument, CandidateDetail, CandidatePage, LineageNode } from '../../shared/contract.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Evaluation, Made, SearchConfig } from '../../shared/records.ts'
import { integer, json, numberOrNull, jsonOrNull, type Database, type Row } from './database.ts'
import { filterOf } from './filter.ts'
import { candidateOf, lineageNode, NODE_COLUMNS } from './rows.ts'

/** All candidates and baselines of a search, in order of number. */
export const lineage = (db: Database, key: number): LineageNode[] =>
  db.all(`SELECT ${NODE_COLUMNS} FROM candidates WHERE search = ? ORDER BY number`, key).map(lineageNode)

export const oneNode = (db: Database, key: number, number: number): LineageNode | null => {
  const row = db.get(`SELECT ${NODE_COLUMNS} FROM candidates WHERE search = ? AND number = ?`, key, number)
  return row ? lineageNode(row) : null
}

type PageArgument = Omit<Argument<'candidates.list'>, 'id'>

/** Each is an index from end to end, so that no page sorts more rows than it shows. */
const ORDERS: Readonly<Record<PageArgument['sort'], readonly string[]>> = {
  number: ['number'],
  average: ['average', 'number'],
  status: ['status', 'rejected', 'number'],
  seconds: ['seconds', 'number'],
  nodes: ['nodes', 'number'],
}

/** One page of a filtered, sorted list of candidates (no baselines). What has no value comes last. */
export const candidatePage = (db: Database, key: number, page: PageArgument): CandidatePage => {
  const conditions = filterOf(page.text)
  if (page.statuses)
    conditions.push({
      sql: `status IN (${page.statuses.map(() => '?').join(', ')})`,
      values: page.statuses,
    })
  const where = ["search = ? AND role = 'candidate'", ...conditions.map(({ sql }) => sql)].join(' AND ')
  const values = [key, ...conditions.flatMap((condition) => condition.values)]
  const direction = page.descending ? 'DESC' : 'ASC'
  const order = ORDERS[page.sort]
    .map((column) => `${column} ${direction}${column === 'average' ? ' NULLS LAST' : ''}`)
    .join(', ')
  const total = integer(
    db.get(`SELECT count(*) AS total FROM candidates WHERE ${where}`, ...values)!,
    'total',
  )
  // Numbers first, so that rows passed over by the offset are not read.
  const rows = db.all(
    `SELECT ${NODE_COLUMNS}, nodes, seconds, graph FROM candidates JOIN layers USING (search, number) ` +
      `WHERE search = ? AND number IN (SELECT number FROM candidates WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?) ` +
      `ORDER BY ${order}`,
    key,
    ...values,
    page.limit,
    page.offset,
  )
  return { rows: rows.map(candidateRow), total }
}

const candidateRow = (row: Row): CandidatePage['rows'][number] => ({
  ...lineageNode(row),
  formula: formulaText(json(row, 'graph')),
  nodes: integer(row, 'nodes'),
  seconds: integer(row, 'seconds'),
})

export const candidateDetail = (db: Database, key: number, number: number): CandidateDetail | null => {
  const read = (which: number) => {
    const row = db.get(
      'SELECT * FROM candidates JOIN layers USING (search, number) WHERE search = ? AND number = ?',
      key,
      which,
    )
    return row ? candidateOf(row) : null
  }
  const candidate = read(number)
  if (!candidate) return null
  return {
    candidate,
    parent: candidate.origin.kind === 'mutation' ? read(candidate.origin.parent) : null,
    evaluations: evaluations(db, key, candidate.duplicateOf ?? number),
    children: db
      .all('SELECT number FROM candidates WHERE search = ? AND parent = ? ORDER BY number', key, number)
      .map((row) => integer(row, 'number')),
  }
}

/** Trainings in the order they were made. */
export const evaluations = (db: Database, key: number, number: number): Evaluation[] =>
  db
    .all(
      'SELECT e.record, m.record AS made FROM evaluations e LEFT JOIN made m ON m.key = e.made ' +
        'WHERE e.search = ? AND e.number = ? ORDER BY e.key',
      key,
      number,
    )
    .map((row) => {
      const made = jsonOrNull<Made>(row, 'made')
      return { ...json<Evaluation>(row, 'record'), ...(made ? { made } : {}) }
    })

/** The latest trainings of all searches, newest first, each with its search's settings. */
export const recentTrainings = (
  db: Database,
): { readonly evaluation: Evaluation; readonly config: SearchConfig }[] =>
  db
    .all(
      'SELECT e.record, s.config FROM evaluations e JOIN searches s ON s.key = e.search ORDER BY e.key DESC LIMIT 300',
    )
    .map((row) => ({
      evaluation: json<Evaluation>(row, 'record'),
      config: json<SearchConfig>(row, 'config'),
    }))

/** A search's trained candidates in order: score, seconds of work, and whether the search found it (it is no known layer). */
export const trainedInOrder = (
  db: Database,
  key: number,
): { readonly average: number | null; readonly seconds: number; readonly found: boolean }[] =>
  db
    .all(
      "SELECT average, seconds, known IS NULL AS found FROM candidates WHERE search = ? AND role = 'candidate' " +
        'AND dispatched = 1 ORDER BY number',
      key,
    )
    .map((row) => ({
      average: numberOrNull(row, 'average'),
      seconds: integer(row, 'seconds'),
      found: integer(row, 'found') === 1,
    }))
