import type { Argument, CandidateDetail, CandidatePage, LineageNode } from '../../shared/contract.ts'
import { formulaText } from '../../shared/formula.ts'
import { EVALUATION, type Evaluation } from '../../shared/records/evaluation.ts'
import { GRAPH } from '../../shared/records/graph.ts'
import { MADE } from '../../shared/records/made.ts'
import { SEARCH_CONFIG, type SearchConfig } from '../../shared/records/search-config.ts'
import { isUnreadable, readable, unreadableText } from '../../shared/records/unreadable.ts'
import { numberOf, numberOrNull, recordOf, recordOrNull, text, type Database, type Row } from './database.ts'
import { filterOf } from './filter.ts'
import { readOr } from './read-or.ts'
import { candidateOf, lineageNode, NODE_COLUMNS } from './rows.ts'

/** Candidates and baselines of a search, in order of number: those after `after`, at most `limit` (-1: all). */
export const lineage = (db: Database, key: number, after = -1, limit = -1): LineageNode[] =>
  db
    .all(
      `SELECT ${NODE_COLUMNS} FROM candidates WHERE search = ? AND number > ? ORDER BY number LIMIT ?`,
      key,
      after,
      limit,
    )
    .map(lineageNode)

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
  const total = numberOf(
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
  formula: formulaOf(row),
  nodes: numberOf(row, 'nodes'),
  seconds: numberOf(row, 'seconds'),
})

const formulaOf = (row: Row): string => {
  const graph = readOr(() => recordOf(row, 'graph', GRAPH), { id: text(row, 'number'), name: '' })
  return isUnreadable(graph) ? unreadableText(graph.unreadable.why) : formulaText(graph)
}

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
      .map((row) => numberOf(row, 'number')),
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
      const made = recordOrNull(row, 'made', MADE)
      return { ...recordOf(row, 'record', EVALUATION), ...(made ? { made } : {}) }
    })

/** The latest trainings of all searches that can be read, newest first, each with its search's settings. */
export const recentTrainings = (
  db: Database,
): { readonly evaluation: Evaluation; readonly config: SearchConfig }[] =>
  readable(
    db
      .all(
        'SELECT e.record, s.config FROM evaluations e JOIN searches s ON s.key = e.search ORDER BY e.key DESC LIMIT 300',
      )
      .map((row) =>
        readOr(
          () => ({
            evaluation: recordOf(row, 'record', EVALUATION),
            config: recordOf(row, 'config', SEARCH_CONFIG),
          }),
          { id: '', name: '' },
        ),
      ),
  )

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
      seconds: numberOf(row, 'seconds'),
      found: numberOf(row, 'found') === 1,
    }))
