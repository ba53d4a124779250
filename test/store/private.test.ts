import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepPrivate } from '../../main/store/private.ts'
import { openStore } from '../../main/store/store.ts'
import { addSearch, folderOf } from './fixture.ts'

const rights = (...parts: string[]): string => (statSync(join(...parts)).mode & 0o777).toString(8)

test('a data folder is for its user alone, an older one from now on', (t) => {
  const folder = join(folderOf(t), 'data')
  mkdirSync(join(folder, 'transfer'), { recursive: true })
  chmodSync(folder, 0o755)
  const db = openStore(folder)
  t.after(() => db.close())
  addSearch(db)
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o755)
  keepPrivate(folder)
  assert.equal(rights(folder), '700')
  assert.deepEqual(readdirSync(folder), [
    'searches.sqlite',
    'searches.sqlite-shm',
    'searches.sqlite-wal',
    'transfer',
  ])
  for (const name of readdirSync(folder)) assert.equal(rights(folder, name), '700', name)
})

test('a folder that holds other things keeps its rights, and what a link leads to keeps them, too', (t) => {
  const folder = folderOf(t)
  chmodSync(folder, 0o755)
  openStore(folder).close()
  const other = join(folder, 'other')
  writeFileSync(other, '', { mode: 0o644 })
  symlinkSync(other, join(folder, 'backups'))
  keepPrivate(folder)
  assert.deepEqual([rights(folder), rights(other)], ['755', '644'])
  assert.equal(rights(folder, 'searches.sqlite'), '600')
})
