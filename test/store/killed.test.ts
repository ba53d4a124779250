import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../main/store/database.ts'
import { eventsSince, newestSeq } from '../../main/store/events.ts'
import { storePath } from '../../main/store/folder.ts'
import { lineage } from '../../main/store/reading.ts'
import { listSearches, keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { createRandom } from '../../shared/random.ts'
import { folderOf } from './fixture.ts'

const WRITER = join(import.meta.dirname, 'writer.ts')
const ROUNDS = 7
const WRITERS = 3
const MOST_MS = 120

// Compiled once for all writers: most of their time is their start.
const compiled = folderOf({ after })
const start = (folder: string, name: number) =>
  spawn(process.execPath, [WRITER, folder, String(name), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  })

/** What a write leaves is whole: every row that belongs to another is there. */
const requireWhole = (db: Database): void => {
  assert.deepEqual(
    db.all('PRAGMA integrity_check').map((row) => row['integrity_check']),
    ['ok'],
  )
  assert.deepEqual(db.all('PRAGMA foreign_key_check'), [])
  const count = (sql: string): unknown => db.get(`SELECT count(*) AS count FROM ${sql}`)!['count']
  assert.equal(count('candidates LEFT JOIN layers USING (search, number) WHERE graph IS NULL'), 0)
  assert.equal(count('layers LEFT JOIN candidates USING (search, number) WHERE status IS NULL'), 0)
  assert.equal(count("candidates WHERE (status = 'scored') <> (scores IS NOT NULL)"), 0)
  assert.equal(count("candidates WHERE (status = 'rejected') <> (rejected IS NOT NULL)"), 0)
  assert.equal(
    count(
      "candidates WHERE status = 'scored' AND alive = 0 AND number > (SELECT max(number) - 30 FROM candidates c WHERE c.search = candidates.search)",
    ),
    0,
  )
  const trainings = '(SELECT count(*) FROM evaluations e WHERE e.search = c.search AND e.number = c.number)'
  assert.equal(count(`candidates c WHERE c.status = 'scored' AND ${trainings} <> 3`), 0)
  assert.equal(
    count(`candidates c WHERE c.status IN ('queued', 'running', 'failed') AND ${trainings} <> 0`),
    0,
  )
  assert.equal(
    count(
      'candidates c WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.search = c.search AND e.number = c.number)',
    ),
    0,
  )
}

const killAt = async (writer: ReturnType<typeof start>, milliseconds: number): Promise<void> => {
  await sleep(milliseconds)
  writer.kill('SIGKILL')
  await once(writer, 'exit')
}

test('a store whose writers are killed at any moment opens whole, with all that was written', async (t) => {
  const folder = folderOf(t)
  const chance = createRandom('kills')
  let seq = 0
  for (let round = 0; round < ROUNDS; round++) {
    const writers = Array.from({ length: WRITERS }, (_, i) => start(folder, WRITERS * round + i))
    await Promise.all(writers.map((writer) => once(writer.stdout, 'data')))
    await Promise.all(writers.map((writer) => killAt(writer, chance.below(MOST_MS))))
    assert.ok(existsSync(`${storePath(folder)}-wal`), 'killed at work')
    const db = openStore(folder)
    const searches = listSearches(db)
    assert.equal(searches.length, WRITERS * (round + 1))
    for (const { id } of searches.slice(0, WRITERS)) {
      const nodes = lineage(db, keyOf(db, id))
      assert.deepEqual(
        nodes.map(({ number }) => number),
        nodes.map((_, i) => i),
        'no number is left out',
      )
      assert.ok(nodes.filter(({ status }) => status === 'running').length <= 1)
    }
    assert.ok(newestSeq(db) > seq)
    seq = newestSeq(db)
    requireWhole(db)
    db.close()
  }
  const db = openStore(folder)
  t.after(() => db.close())
  assert.equal(eventsSince(db, 0, 1e6).next, seq)
  const candidates = db.get("SELECT count(*) AS count FROM candidates WHERE role = 'candidate'")!['count']
  t.diagnostic(`${WRITERS * ROUNDS} kills, ${candidates} candidates, ${seq} events`)
})

test('a store whose making is killed is made anew', async (t) => {
  const chance = createRandom('making')
  const made = await Promise.all(
    Array.from({ length: 6 }, async (_, kill) => {
      const folder = folderOf(t)
      const writer = start(folder, kill)
      while (!existsSync(storePath(folder))) await sleep(1)
      await killAt(writer, chance.below(20))
      const db = openStore(folder)
      requireWhole(db)
      const searches = listSearches(db).length
      db.close()
      return searches
    }),
  )
  t.diagnostic(`${made.filter((searches) => searches === 0).length} of ${made.length} had nothing in it yet`)
})
