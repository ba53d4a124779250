import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Database } from '../../main/store/database.ts'
import { defaultDataFolder, storePath } from '../../main/store/folder.ts'
import { openDatabase } from '../../main/store/open.ts'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { entry } from '../../main/store/candidates.ts'
import { add, addSearch, CONFIG, folderOf } from './fixture.ts'

/** Opening is refused with such a message, and the file is byte for byte what it was. */
const refused = (path: string, message: RegExp, migrations = MIGRATIONS): void => {
  const before = readFileSync(path)
  assert.throws(() => openDatabase(path, migrations), { name: 'StoreError', message })
  assert.ok(readFileSync(path).equals(before), 'the file was touched')
}

test('a store is made where there is none, in folders that are not there yet', (t) => {
  const folder = join(folderOf(t), 'some', 'where')
  const db = openStore(folder)
  const { id } = addSearch(db)
  db.close()
  const again = openStore(folder)
  t.after(() => again.close())
  const [search] = listSearches(again)
  assert.deepEqual(
    [search!.id, search!.name, search!.state, search!.stage],
    [id, 'a search', 'running', 'baselines'],
  )
  assert.deepEqual(search!.config, CONFIG)
  assert.deepEqual(search!.made, { version: '1' })
})

test('a store is written ahead, and its log is gone when the last one closes it', (t) => {
  const folder = folderOf(t)
  const db = openStore(folder)
  addSearch(db)
  assert.deepEqual({ ...db.get('PRAGMA journal_mode') }, { journal_mode: 'wal' })
  assert.ok(existsSync(`${storePath(folder)}-wal`))
  db.close()
  assert.ok(!existsSync(`${storePath(folder)}-wal`))
})

test('an empty file becomes a store', (t) => {
  const folder = folderOf(t)
  writeFileSync(storePath(folder), '')
  const db = openStore(folder)
  t.after(() => db.close())
  assert.deepEqual(listSearches(db), [])
})

test('what is no store of this program is left alone, and the error says what it is and what to do', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  writeFileSync(path, 'name,score\nBN-ReLU,0.9\n')
  refused(
    path,
    /is not a store: needed an SQLite file, got 23 bytes that begin "name,score\\nB"; move it away, or choose/,
  )

  writeFileSync(path, '')
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE bookmarks (url TEXT)')
  other.close()
  refused(
    path,
    /belongs to another program: needed application id 1313231431, got application id 0; move it away/,
  )
})

test('a table of another program that is only in its log is seen, too', (t) => {
  const path = storePath(folderOf(t))
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT)')
  assert.ok(statSync(path).size <= 4096)
  assert.throws(() => openDatabase(path), /belongs to another program: .* got a table "bookmarks"/)
  assert.deepEqual(
    other
      .prepare('SELECT name FROM sqlite_schema')
      .all()
      .map((row) => row['name']),
    ['bookmarks'],
  )
})

/** More than the pages that hold the schema, and those of tables that are empty at first. */
const SCHEMA_BYTES = 40 * 4096

test('a store that is cut short or written over is named as damaged', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  const db = openStore(folder)
  const { key } = addSearch(db)
  db.write(() => {
    for (let number = 2; number < 200; number++) add(db, key, number, 'x * sigmoid(v1 * x) / std_hwg(x)')
  })
  db.close()
  const whole = readFileSync(path)
  assert.ok(whole.length > SCHEMA_BYTES)

  truncateSync(path, Math.floor(whole.length / 2 / 4096) * 4096 + 100)
  refused(
    path,
    /is cut short: needed \d+ bytes, got \d+; put back a copy of it, or move it away to begin anew/,
  )
  truncateSync(path, 60)
  refused(path, /is not a store: needed an SQLite file, got 60 bytes/)

  writeFileSync(path, Buffer.concat([whole.subarray(0, 100), Buffer.alloc(3996, 0xff), whole.subarray(4096)]))
  assert.throws(() => openStore(folder), {
    name: 'StoreError',
    message: /is damaged \(.*\); put back a copy/,
  })

  // Damage farther in, where the schema does not reach.
  const torn = Buffer.concat([
    whole.subarray(0, SCHEMA_BYTES),
    Buffer.alloc(whole.length - SCHEMA_BYTES, 0xff),
  ])
  writeFileSync(path, torn)
  refused(path, /is damaged \(.*\); put back a copy/)
  // What comes after the opening is met when it is read.
  const met = new Database(new DatabaseSync(path))
  t.after(() => met.close())
  assert.throws(() => met.all('SELECT * FROM candidates'), { name: 'StoreError', message: /is damaged/ })
  assert.throws(() => addSearch(met), { name: 'StoreError', message: /is damaged/ })
})

test('what is no file at all is told', (t) => {
  const folder = folderOf(t)
  mkdirSync(storePath(folder))
  assert.throws(() => openStore(folder), { name: 'StoreError', message: /can't be opened: EISDIR/ })
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => openStore(join(folder, 'file')), { name: 'StoreError', message: /can't be opened/ })
})

test('a store of a newer program is not opened', (t) => {
  const path = storePath(folderOf(t))
  openDatabase(path, [...MIGRATIONS, 'CREATE TABLE later (a TEXT)']).close()
  refused(
    path,
    new RegExp(
      `newer version .* needed schema ${MIGRATIONS.length} at most, got ${MIGRATIONS.length + 1}; update the program`,
    ),
  )
})

test('a store of the first schema is brought up to date with all that is in it', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  const first = new Database(openDatabase(path, MIGRATIONS.slice(0, 1)))
  // As that version wrote it: by its own columns alone.
  const key = 1
  first.run(
    "INSERT INTO searches VALUES (1, 's', 'old', '2026-01-01T00:00:00Z', ?, 'done', 'finished', NULL, 9, 0, '{}')",
    JSON.stringify(PRESETS.demo.config),
  )
  for (const [number, more] of ["'[0.5,0.6,0.7]', 0.6", 'NULL, NULL'].entries()) {
    first.run(
      'INSERT INTO candidates (search, number, role, fingerprint, kind, label, status, dispatched, nodes, ops, words, ' +
        `rerank_scores, scores, average) VALUES (1, ?, 'candidate', 'f', 'random', 'random', ?, 1, 1, 1, '', ?, ${more})`,
      number,
      number === 0 ? 'scored' : 'queued',
      number === 0 ? '[0.9, 0.9, 0.9]' : null,
    )
    first.run(
      'INSERT INTO layers VALUES (1, ?, ?, \'{"kind":"random"}\', NULL, NULL)',
      number,
      JSON.stringify(knownLayer('EvoNorm-B0').graph),
    )
  }
  first.close()
  const db = openStore(folder)
  t.after(() => db.close())
  assert.equal(listSearches(db).length, 1)
  assert.deepEqual(entry(db, key, 0)!.scores, [0.5, 0.6, 0.7])
  assert.equal(entry(db, key, 0)!.reranked, true)
  assert.equal(entry(db, key, 1)!.reranked, false)
  assert.equal(db.get('PRAGMA user_version')!['user_version'], MIGRATIONS.length)
})

test('a migration that fails leaves the store as it was', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  openStore(folder).close()
  assert.throws(
    () => openDatabase(path, [...MIGRATIONS, 'CREATE TABLE half (a TEXT); CREATE TABLE searches (a TEXT)']),
    { name: 'StoreError', message: /table searches already exists/ },
  )
  const db = openStore(folder)
  t.after(() => db.close())
  assert.deepEqual(db.all("SELECT name FROM sqlite_schema WHERE name = 'half'"), [])
})

test('several processes may make and write one store at once', (t) => {
  const folder = folderOf(t)
  const writer = join(import.meta.dirname, 'writer.ts')
  // The shell starts them together and waits for all.
  const commands = [1, 2, 3].map((name) => `"${process.execPath}" "${writer}" "${folder}" ${name} 40 &`)
  execFileSync('sh', ['-c', `${commands.join(' ')} wait`])
  const db = openStore(folder)
  t.after(() => db.close())
  const searches = listSearches(db)
  assert.deepEqual(searches.map(({ name }) => name).sort(), ['writer 1', 'writer 2', 'writer 3'])
  const counts = db.all(
    "SELECT search, count(*) AS count FROM candidates WHERE role = 'candidate' GROUP BY search",
  )
  assert.deepEqual(
    counts.map((row) => row['count']),
    [40, 40, 40],
  )
})

test('all of a write or nothing, also of writes within', (t) => {
  const folder = folderOf(t)
  const db = openStore(folder)
  const other = openStore(folder)
  t.after(() => {
    db.close()
    other.close()
  })
  let told = 0
  const stop = db.onWrite(() => (told += 1))
  const version = other.version()
  assert.throws(
    () =>
      db.write(() => {
        addSearch(db)
        throw new Error('half-way')
      }),
    /half-way/,
  )
  assert.deepEqual(listSearches(db), [])
  assert.equal(told, 0)
  assert.equal(other.version(), version)

  db.write(() => {
    addSearch(db)
    assert.equal(listSearches(other).length, 0, 'others see nothing before the end')
  })
  assert.equal(listSearches(other).length, 1)
  assert.equal(told, 1, 'one write, however many within')
  assert.notEqual(other.version(), version)
  stop()
  addSearch(db)
  assert.equal(told, 1)
})

test("the data folder is the user's choice, else the platform's", () => {
  assert.equal(defaultDataFolder({ NORMFORGE_DATA: '/a' }), '/a')
  assert.equal(defaultDataFolder({ NORMFORGE_DATA: '', XDG_DATA_HOME: '/b' }), join('/b', 'normforge'))
  assert.match(defaultDataFolder({}), /normforge$/)
})
