import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomLayer } from '../../main/search/mutate.ts'
import { addCandidate, settle } from '../../main/store/candidates.ts'
import type { Database } from '../../main/store/database.ts'
import { candidatePage, lineage } from '../../main/store/reading.ts'
import { openStore } from '../../main/store/store.ts'
import { best, funnel, pace, trend } from '../../main/store/summary.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { createRandom } from '../../shared/random.ts'
import { addSearch, CONFIG, folderOf, rejected, scored } from './fixture.ts'

const FIRST = CONFIG.baselines.length
const ORIGINALS = 500
const CANDIDATES = 100_000
const STATIC = { ...rejected().result.rejection, stage: 'static' } as const

/** Real layers, each copied many times over with other scores: quicker than proposing them all. */
const fill = (db: Database, key: number): void =>
  db.write(() => {
    for (let i = 0; i < ORIGINALS; i++) {
      const chance = createRandom('large', i)
      const graph = randomLayer('B', chance)
      const number = FIRST + i
      const verdict =
        i % 10 < 7 ? ({ kind: 'static', rejection: STATIC } as const) : ({ kind: 'train' } as const)
      const head = { number, role: 'candidate', graph, fingerprint: fingerprint(graph), verdict } as const
      addCandidate(db, key, { ...head, origin: { kind: 'random' }, atSeconds: i })
      if (verdict.kind === 'train')
        settle(db, key, number, i % 10 === 7 ? rejected() : scored([0.3 + 0.5 * chance.next(), 0.5]), i)
    }
    const copies = 'WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?)'
    const most = CANDIDATES / ORIGINALS - 1
    const columns = (table: string): string[] =>
      db.all(`SELECT name FROM pragma_table_info('${table}')`).map((row) => String(row['name']))
    const changed: Readonly<Record<string, string>> = {
      number: `number + ${ORIGINALS} * n`,
      average: 'average + ((number * 7919 + n * 104729) % 1000) / 5000.0',
      seconds: 'seconds + n % 17',
      at_seconds: `at_seconds + ${ORIGINALS} * n`,
    }
    for (const table of ['candidates', 'layers']) {
      const names = columns(table)
      db.run(
        `${copies} INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => changed[name] ?? name).join(', ')} ` +
          `FROM copy, ${table} WHERE search = ? AND number >= ${FIRST} AND number < ${FIRST + ORIGINALS}`,
        most,
        key,
      )
    }
  })

test('100,000 candidates are paged, sorted, filtered and summed up while another process writes', async (t) => {
  const folder = folderOf(t)
  const started = performance.now()
  const seeding = openStore(folder)
  const { key } = addSearch(seeding)
  fill(seeding, key)
  seeding.close()
  t.diagnostic(`made in ${Math.round(performance.now() - started)} ms`)

  const writer = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), folder, '1', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => writer.kill('SIGKILL'))
  await once(writer.stdout, 'data')

  const took = <T>(name: string, action: () => T): T => {
    const from = performance.now()
    const result = action()
    t.diagnostic(`${name}: ${(performance.now() - from).toFixed(1)} ms`)
    return result
  }
  const db = took('open', () => openStore(folder))
  t.after(() => db.close())
  const page = (text: string, sort: 'number' | 'average' | 'status' | 'seconds' | 'nodes', offset = 0) =>
    took(`page "${text}" by ${sort} from ${offset}`, () =>
      candidatePage(db, key, { statuses: null, text, sort, descending: true, offset, limit: 100 }),
    )
  const isSorted = (values: readonly (number | null)[]): boolean =>
    values.every((value, i) => i === 0 || (value ?? -1) <= (values[i - 1] ?? -1))

  for (const sort of ['number', 'average', 'status', 'seconds', 'nodes'] as const)
    for (const offset of [0, 90_000]) {
      const { rows, total } = page('', sort, offset)
      assert.equal(total, CANDIDATES)
      assert.equal(rows.length, 100)
      if (sort !== 'status') assert.ok(isSorted(rows.map((row) => row[sort])), sort)
    }
  for (const [text, total] of [
    ['rejected:stability', CANDIDATES / 10],
    ['status:scored', CANDIDATES / 5],
    ['op:sigmoid acc>0.6', null],
    ['sigmoid(x)', null],
  ] as const) {
    const found = page(text, 'average')
    if (total === null) assert.ok(found.total > 100 && found.total < CANDIDATES, `${text}: ${found.total}`)
    else assert.equal(found.total, total)
    assert.ok(isSorted(found.rows.map(({ average }) => average)))
  }
  const counts = took('funnel', () => funnel(db, key))
  assert.deepEqual([counts.generated, counts.static], [CANDIDATES, 0.7 * CANDIDATES])
  const { average } = took('best', () => best(db, key))!
  assert.equal(took('trend', () => trend(db, key)).at(-1)!.average, average)
  assert.equal(took('pace', () => pace(db, key)).settled, 0.3 * CANDIDATES)
  assert.equal(took('lineage', () => lineage(db, key)).length, CANDIDATES + FIRST)
})
