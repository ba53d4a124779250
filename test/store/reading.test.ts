import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setAlive } from '../../main/store/candidates.ts'
import { candidatePage } from '../../main/store/reading.ts'
import { ContractError } from '../../shared/contract.ts'
import { add, addSearch, addSettled, FAILED, rejected, scored, storeOf, UNSTABLE } from './fixture.ts'

type Page = Parameters<typeof candidatePage>[2]
const ALL: Page = { statuses: null, text: '', sort: 'number', descending: false, offset: 0, limit: 100 }

const db = storeOf({ after })
const { key } = addSearch(db)

//  #  formula              outcome                       nodes  seconds
//  2  x * sigmoid(x)       0.5                           2      6
//  3  tanh(x)              rejected: stability           1      1
//  4  max(x, 0)            0.8                           1      6
//  5  x * sigmoid(x)       duplicate of 2                2      0
//  6  std_hwg(x) * x       rejected: quality             2      1
//  7  exp(x)               failed                        1      0
//  8  x * tanh(x)          queued, imported              2      0
//  9  x / std_nhw(x)       0.65, child of 4              2      6
// Another search of the same store, which no page of the first shows.
addSettled(db, addSearch(db).key, 2, 'x', scored([0.99]))
addSettled(db, key, 2, 'x * sigmoid(x)', scored([0.4, 0.5, 0.6]))
addSettled(db, key, 3, 'tanh(x)', rejected())
addSettled(db, key, 4, 'max(x, 0)', scored([0.7, 0.8, 0.9]))
add(db, key, 5, 'x * sigmoid(x)', { verdict: { kind: 'duplicate', of: 2 } })
addSettled(db, key, 6, 'std_hwg(x) * x', rejected({ ...UNSTABLE, stage: 'quality' }))
addSettled(db, key, 7, 'exp(x)', FAILED)
add(db, key, 8, 'x * tanh(x)', { origin: { kind: 'imported', note: '' }, verdict: null })
addSettled(db, key, 9, 'x / std_nhw(x)', scored([0.65, 0.65, 0.65]))
db.run('UPDATE candidates SET parent = 4 WHERE search = ? AND number = 9', key)
setAlive(db, key, { entered: [2, 9], left: [] })

const numbers = (page: Partial<Page>): number[] =>
  candidatePage(db, key, { ...ALL, ...page }).rows.map(({ number }) => number)

test('a page shows candidates without the baselines, with formula and size', () => {
  const { rows, total } = candidatePage(db, key, ALL)
  assert.equal(total, 8)
  assert.deepEqual(
    rows.map(({ number }) => number),
    [2, 3, 4, 5, 6, 7, 8, 9],
  )
  const [first] = rows
  assert.equal(first!.formula, 'x * sigmoid(x)')
  assert.deepEqual([first!.nodes, first!.seconds, first!.status, first!.alive], [2, 6, 'scored', true])
})

test('it is sorted by any column, both ways, the rest by number (of rejected ones first by stage); what has no value comes last', () => {
  assert.deepEqual(numbers({ descending: true }), [9, 8, 7, 6, 5, 4, 3, 2])
  assert.deepEqual(numbers({ sort: 'average' }), [2, 5, 9, 4, 3, 6, 7, 8])
  assert.deepEqual(numbers({ sort: 'average', descending: true }), [4, 9, 5, 2, 8, 7, 6, 3])
  assert.deepEqual(numbers({ sort: 'nodes' }), [3, 4, 7, 2, 5, 6, 8, 9])
  assert.deepEqual(numbers({ sort: 'seconds', descending: true }), [9, 4, 2, 6, 3, 8, 7, 5])
  assert.deepEqual(numbers({ sort: 'status' }), [5, 7, 8, 6, 3, 2, 4, 9])
})

test('it is cut out by offset and limit, and says how many there are in all', () => {
  const page = candidatePage(db, key, { ...ALL, sort: 'average', descending: true, offset: 1, limit: 2 })
  assert.deepEqual([page.rows.map(({ number }) => number), page.total], [[9, 5], 8])
  const past = candidatePage(db, key, { ...ALL, offset: 100 })
  assert.deepEqual(past, { rows: [], total: 8 })
})

test('no page sorts more rows than it shows', (t) => {
  const plans: string[] = []
  const { mock } = t.mock.method(db, 'all')
  for (const sort of ['number', 'average', 'status', 'seconds', 'nodes'] as const)
    for (const descending of [false, true]) numbers({ sort, descending, text: '' })
  const queries = mock.calls.map(({ arguments: [sql, ...values] }) => [sql, values] as const)
  mock.restore()
  for (const [sql, values] of queries) {
    const steps = db.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map((row) => String(row['detail']))
    plans.push(steps.join('; '))
  }
  assert.equal(plans.length, 10)
  for (const plan of plans) {
    // The rows of the page itself are put in order, once their numbers are known.
    assert.ok(plan.split('USE TEMP B-TREE FOR ORDER BY').length <= 2, plan)
    assert.match(plan, /LIST SUBQUERY \d+; SEARCH candidates USING (COVERING )?INDEX candidates_by_\w+/)
  }
})

test('tabs by status', () => {
  assert.deepEqual(numbers({ statuses: ['scored'] }), [2, 4, 9])
  assert.deepEqual(numbers({ statuses: ['rejected', 'failed'] }), [3, 6, 7])
  assert.deepEqual(numbers({ statuses: [] }), [])
})

test('the filter language', () => {
  for (const [text, expected] of [
    ['rejected:stability', [3]],
    ['rejected:quality op:std', [6]],
    ['rejected:stability acc>0.6 op:sigmoid', []],
    ['rejected:sta', [3]],
    ['status:duplicate', [5]],
    ['status:dup', [5]],
    ['origin:imported', [8]],
    ['origin:imp', [8]],
    ['parent:4', [9]],
    ['number:7', [7]],
    ['#7', [7]],
    ['is:alive', [2, 9]],
    ['op:sigmoid', [2, 5]],
    ['op:std_', [6, 9]],
    ['op:std_nhw', [9]],
    ['op:tanh op:mul', [8]],
    ['acc>0.6', [4, 9]],
    ['acc>=0.65', [4, 9]],
    ['acc<0.65', [2, 5]],
    ['acc<=.65', [2, 5, 9]],
    ['acc=0.5', [2, 5]],
    ['acc>0.6 acc<0.7', [9]],
    ['nodes=1', [3, 4, 7]],
    ['nodes<2 status:scored', [4]],
    ['seconds>1', [2, 4, 9]],
    ['number>=8', [8, 9]],
    ['sigmoid', [2, 5]],
    ['SIGMOID Random', [2, 5]],
    ['max(x', [4]],
    ['nothing', []],
    ['%', []],
    ['', [2, 3, 4, 5, 6, 7, 8, 9]],
    // Still being typed.
    ['op:', [2, 3, 4, 5, 6, 7, 8, 9]],
    ['acc> tanh', [3, 8]],
  ] as const)
    assert.deepEqual([text, numbers({ text })], [text, expected])
})

test('a filter that means nothing says what it needs', () => {
  for (const [text, message] of [
    ['rejected:loss', /^filter: "rejected:" needs one of static, quality, stability, got "loss"$/],
    ['status:done', /^filter: "status:" needs one of queued, running, .*, got "done"$/],
    ['op:relu', /^filter: "op:" needs one of add, .*, got "relu"$/],
    ['is:dead', /^filter: "is:" needs one of alive, got "dead"$/],
    ['parent:x', /^filter: "parent:" needs a whole number, got "x"$/],
    ['number:-1', /^filter: "number:" needs a whole number, got "-1"$/],
    ['acc>high', /^filter: "acc" needs a number, got "high"$/],
    ['score>0.5', /^filter: ">" needs one of acc, nodes, seconds, number before it, got "score"$/],
    ['scored:yes', /^filter: needs one of rejected, .* before ":", got "scored"$/],
    // Names that every object has.
    ['constructor:x', /^filter: needs one of rejected, .* before ":", got "constructor"$/],
    ['constructor:', /^filter: needs one of rejected, .* before ":", got "constructor"$/],
    ['constructor<5', /^filter: "<" needs one of acc, .* before it, got "constructor"$/],
  ] as const)
    assert.throws(
      () => numbers({ text }),
      (error: unknown) =>
        error instanceof ContractError && error.code === 'invalid' && message.test(error.message),
      text,
    )
})

test('a filter is text, never SQL', () => {
  for (const text of ["'; DROP TABLE candidates; --", "origin:' OR 1=1 --", 'x" OR "1"="1'])
    assert.deepEqual(numbers({ text }), [], text)
  assert.equal(candidatePage(db, key, ALL).total, 8)
})
