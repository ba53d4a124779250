import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { wholeBackup } from '../../main/store/backup.ts'
import { candidateDetail, lineage } from '../../main/store/reading.ts'
import type { Database } from '../../main/store/database.ts'
import { eventsSince } from '../../main/store/events.ts'
import { storePath } from '../../main/store/folder.ts'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { keyOf, listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { summaryOf } from '../../main/summary.ts'
import { transferFolders } from '../../main/transfer/folders.ts'
import { NO_SEARCH, transferDetail, transferSummaries } from '../../main/transfer/summary.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { REPLIES } from '../../shared/replies.ts'
import { openBench, quickPool } from '../search/harness.ts'
import { unpackSample } from './disk.ts'
import { folderOf } from './fixture.ts'

/**
 * Stores that versions of the program wrote, one of each schema (sample.ts makes the newest one's): of schema 1 a search that
 * was killed; from 2 on one that is done and one that was killed; from 3 on also a transfer of each.
 */
const SCHEMAS = MIGRATIONS.map((_, i) => {
  const schema = i + 1
  return {
    schema,
    searches: schema === 1 ? ['writer one: running'] : ['interrupted: running', 'done: done'],
    transfers: schema < 3 ? [] : ['queued', 'done'],
  }
})

/** All that pages and command line read of a store, by the contract's own schemas. */
const readAll = (db: Database, folder: string) => {
  const searches = listSearches(db)
  const candidates = searches.map(({ id }) => {
    const key = keyOf(db, id)
    const nodes = REPLIES['searches.lineage'].parse(lineage(db, key))
    return nodes.map(({ number }) => REPLIES['candidates.get'].parse(candidateDetail(db, key, number)))
  })
  REPLIES['searches.list'].parse(searches.map((search) => summaryOf(db, search, 1)))
  const transfers = readable(REPLIES['transfers.list'].parse(transferSummaries(db, NO_SEARCH)))
  for (const { promotion } of transfers)
    REPLIES['transfers.get'].parse(transferDetail(db, transferFolders(folder), promotion.id, NO_SEARCH))
  assert.ok(eventsSince(db, 0, 1e6).events.length > 0)
  return { searches, candidates, transfers }
}

for (const { schema, searches, transfers } of SCHEMAS)
  test(`a store that was written under schema ${schema} is read wholly, and its searches go on`, async (t) => {
    const folder = folderOf(t)
    unpackSample(folder, schema)
    const before = readFileSync(storePath(folder))
    const db = openStore(folder)
    const read = readAll(db, folder)
    db.close()
    assert.deepEqual(
      read.searches.map(({ name, state }) => `${name}: ${state}`),
      searches,
    )
    assert.deepEqual(
      read.transfers.map(({ promotion }) => (promotion.state === 'running' ? 'queued' : promotion.state)),
      transfers,
    )
    const backup = wholeBackup(storePath(folder))
    assert.equal(backup?.schema ?? null, schema < MIGRATIONS.length ? schema : null)
    if (schema === MIGRATIONS.length) assert.ok(readFileSync(storePath(folder)).equals(before))

    const bench = openBench(t, { folder, pool: quickPool(1) })
    const { id } = read.searches[0]!
    // The sample of schema 1 has no end but five minutes.
    bench.db.run(
      "UPDATE searches SET config = json_set(config, '$.evolution.maxSeconds', 0, '$.evolution.maxTrained', 24) " +
        "WHERE json_extract(config, '$.evolution.maxTrained') = 0",
    )
    bench.runner.resume(id)
    const { state, config } = await bench.runner.ended(id)
    assert.equal(state, 'done', `a search with seed ${config.seed}`)
    const after = readAll(bench.db, folder).candidates[0]!
    for (const [i, { candidate, evaluations }] of read.candidates[0]!.entries())
      if (candidate.status !== 'queued' && candidate.status !== 'running') {
        const { rerankScores: _, ...kept } = candidate
        assert.deepEqual(
          { ...after[i]!.candidate, rerankScores: undefined },
          { ...kept, rerankScores: undefined },
        )
        assert.deepEqual(after[i]!.evaluations.slice(0, evaluations.length), evaluations)
      }
  })
