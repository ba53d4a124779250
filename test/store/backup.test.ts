import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { backUp, backupsOf, wholeBackup } from '../../main/store/backup.ts'
import { storePath } from '../../main/store/folder.ts'
import { openDatabase } from '../../main/store/open.ts'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { cli } from '../main/cli.ts'
import { unpackSample } from './disk.ts'
import { addSearch, folderOf } from './fixture.ts'

const LATER = [...MIGRATIONS, 'CREATE TABLE later (a TEXT)']
const schemaOf = (file: string): unknown => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare('PRAGMA user_version').get()!['user_version']
  } finally {
    db.close()
  }
}

test('before a migration the store is backed up, with what is only in its log', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  const reader = openStore(folder)
  t.after(() => reader.close())
  const { id } = addSearch(reader)
  assert.deepEqual(backupsOf(path), [], 'a new store needs none')
  assert.ok(existsSync(`${path}-wal`))
  openDatabase(path, LATER).close()
  const [backup, ...others] = backupsOf(path)
  assert.equal(others.length, 0)
  assert.equal(backup!.schema, MIGRATIONS.length)
  assert.equal(schemaOf(backup!.file), MIGRATIONS.length)
  const copy = openDatabase(backup!.file)
  t.after(() => copy.close())
  assert.deepEqual(
    copy
      .prepare('SELECT id FROM searches')
      .all()
      .map((row) => row['id']),
    [id],
  )
})

test('a migration that fails leaves the store and its backup', (t) => {
  const folder = folderOf(t)
  openStore(folder).close()
  assert.throws(() => openDatabase(storePath(folder), [...MIGRATIONS, 'CREATE TABLE searches (a TEXT)']))
  assert.equal(schemaOf(storePath(folder)), MIGRATIONS.length)
  assert.equal(wholeBackup(storePath(folder))!.schema, MIGRATIONS.length)
})

test('a store that can not be backed up is not migrated', (t) => {
  const folder = folderOf(t)
  openStore(folder).close()
  // Where the folder of backups should be, there is a file.
  writeFileSync(join(folder, 'backups'), '')
  assert.throws(() => openDatabase(storePath(folder), LATER), {
    name: 'StoreError',
    message: /EEXIST|ENOTDIR/,
  })
  assert.equal(schemaOf(storePath(folder)), MIGRATIONS.length)
})

test('three backups are kept, and no half of one', (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  openStore(folder).close()
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2030-01-01T00:00:00Z') })
  for (const schema of [1, 2, 3, 4, 5]) {
    writeFileSync(join(dirname(path), 'left.tmp'), 'none of the backups')
    if (schema > 1) writeFileSync(join(folder, 'backups', 'killed.sqlite.tmp'), 'half')
    backUp(path, schema)
    t.mock.timers.tick(1000)
  }
  assert.deepEqual(
    backupsOf(path).map(({ schema, time }) => `${schema} ${time}`),
    ['5 2030-01-01T00:00:04Z', '4 2030-01-01T00:00:03Z', '3 2030-01-01T00:00:02Z'],
  )
  // The clock is set back: what has just been made stays all the same.
  t.mock.timers.setTime(Date.parse('2029-01-01T00:00:00Z'))
  backUp(path, 6)
  assert.deepEqual(
    backupsOf(path).map(({ schema }) => schema),
    [5, 4, 6],
  )
  assert.ok(readdirSync(join(folder, 'backups')).every((name) => name.endsWith('.sqlite')))
  assert.ok(existsSync(join(folder, 'left.tmp')))
})

test('a damaged store is offered its backup, which takes its place; nothing is removed', async (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  const where = ['--data-folder', folder]
  unpackSample(folder, 2)
  const refused = await cli(['restore', ...where])
  assert.deepEqual([refused.code, refused.out], [1, ''])
  assert.match(refused.err, /is whole: there is nothing to restore/)
  const [backup] = backupsOf(path)
  assert.equal(backup!.schema, 2)

  const db = openStore(folder)
  const names = listSearches(db).map(({ name }) => name)
  addSearch(db)
  db.close()
  const torn = readFileSync(path).fill(0xff, 8192)
  writeFileSync(path, torn)
  const listed = await cli(['list', ...where])
  assert.equal(listed.code, 1)
  assert.match(
    listed.err,
    new RegExp(`is damaged .*; "npm run cli -- restore" puts the backup of ${backup!.time} in its place`),
  )

  const { code, out, err } = await cli(['restore', ...where])
  assert.equal(code, 0, err)
  assert.match(
    out,
    /restored the backup of .*, with 2 searches; the damaged store is kept as .*searches\.sqlite\.damaged-/,
  )
  const aside = readdirSync(folder).find((name) => /damaged-[-\dT]+$/.test(name))!
  assert.ok(readFileSync(join(folder, aside)).equals(torn))
  const restored = openStore(folder)
  t.after(() => restored.close())
  assert.deepEqual(
    listSearches(restored).map(({ name }) => name),
    names,
  )
})

test('without a backup, and where the newest is damaged itself, restore says so or takes the one before', async (t) => {
  const folder = folderOf(t)
  const path = storePath(folder)
  openStore(folder).close()
  const whole = readFileSync(path)
  writeFileSync(path, 'none at all')
  const none = await cli(['restore', '--data-folder', folder])
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.err, /there is no backup of the store in/)
  writeFileSync(path, whole)
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2030-01-01T00:00:00Z') })
  backUp(path, 3)
  t.mock.timers.tick(1000)
  backUp(path, 3)
  writeFileSync(backupsOf(path)[0]!.file, 'torn')
  writeFileSync(path, 'none at all')
  const { code, out } = await cli(['restore', '--data-folder', folder])
  assert.equal(code, 0)
  assert.match(out, /restored the backup of 2030-01-01T00:00:00Z, with 0 searches/)
})

/** Makes a folder one that nobody can write to: a file system mounted so, since root may write in any folder. */
const sealed = (t: TestContext, fill: (folder: string) => void): string | null => {
  const folder = mkdtempSync(join(tmpdir(), 'normforge-store-'))
  t.after(() => {
    if (process.getuid?.() !== 0) chmodSync(folder, 0o700)
    else spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  if (process.getuid?.() !== 0) {
    fill(folder)
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o400)
    chmodSync(folder, 0o500)
    return folder
  }
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]).status !== 0) return null
  fill(folder)
  return spawnSync('mount', ['-o', 'remount,ro', folder]).status === 0 ? folder : null
}

test('a store that can not be written is listed and shown; to search is refused in one sentence', async (t) => {
  // With all of it in the file, and with a part in the log of a program that was killed.
  for (const killed of [false, true]) {
    const folder = sealed(t, (place) => {
      unpackSample(place, 3)
      const db = openStore(place)
      addSearch(db)
      if (!killed) return db.close()
      const [file, log, shared] = ['', '-wal', '-shm'].map((part) => readFileSync(storePath(place) + part))
      db.close()
      writeFileSync(storePath(place), file!)
      writeFileSync(`${storePath(place)}-wal`, log!)
      writeFileSync(`${storePath(place)}-shm`, shared!)
    })
    if (folder === null)
      return t.skip('needs a file system that can be mounted, which root can only where the system lets it')
    const where = ['--data-folder', folder]
    const list = await cli(['list', '--json', ...where])
    assert.equal(list.code, 0, list.err)
    const found = JSON.parse(list.out) as { search: { id: string; name: string } }[]
    assert.deepEqual(
      found.map(({ search }) => search.name),
      ['a search', 'interrupted', 'done'],
    )
    const { id } = found[2]!.search
    // One start of the program after another would take long.
    const shown = [['show', id], ['transfers'], ['export', '--layer', `${id}:1`, '--target', 'pytorch']]
    const refused = [
      'search --data shapes',
      `resume ${id}`,
      'transfer --layer GN-ReLU --task synthesis --data shapes',
    ]
    for (const args of killed ? [] : shown) {
      const { code, out, err } = await cli([...args, ...where])
      assert.equal(code, 0, `${args.join(' ')}: ${err}`)
      assert.ok(out.length > 0)
    }
    for (const args of killed ? [] : refused) {
      const { code, out, err } = await cli([...args.split(' '), ...where])
      assert.deepEqual([code, out], [1, ''], args)
      assert.match(
        err,
        /^normforge: store: .*searches\.sqlite can't be written \(E[A-Z]+\): what is in it can still be listed and shown; .*\n$/,
      )
    }
  }
})

test('one of an older schema that can not be written says what to do', async (t) => {
  const folder = sealed(t, (place) => unpackSample(place, 1))
  if (folder === null) return t.skip('needs a file system that can be mounted')
  const { code, err } = await cli(['list', '--data-folder', folder])
  assert.equal(code, 1)
  assert.match(err, /can't be written, and its schema is another: needed \d+, got 1; copy it to where/)
})
