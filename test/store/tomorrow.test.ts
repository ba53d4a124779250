import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../../main/setup/process.mjs'
import { MIGRATIONS } from '../../main/store/schema.ts'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { searchSummaries } from '../../main/summary.ts'
import { isUnreadable, readable } from '../../shared/records/unreadable.ts'
import { cli } from '../main/cli.ts'
import { unpackSample } from './disk.ts'
import { folderOf } from './fixture.ts'

type All = {
  readonly list: readonly { readonly search: { readonly config: { readonly evolution: object } } }[]
  readonly transfers: readonly object[]
  readonly searches: readonly { readonly nodes: object[]; readonly found: Record<string, number[]> }[]
}

const allOf = (tree: string, folder: string): All =>
  JSON.parse(
    execFileSync(process.execPath, [join(tree, 'test/store/all-of.ts'), folder], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    }),
  ) as All

/** Puts a change into a copy of the tree; what it stands beside must be there. */
const change = (tree: string, file: string, before: string, after: string): void => {
  const path = join(tree, file)
  const text = readFileSync(path, 'utf8')
  assert.ok(text.includes(before), `${file} has no ${before}`)
  writeFileSync(path, text.replace(before, after))
}

test('a store of today is whole under a program with a new field, an op in the middle and another network', (t) => {
  const folder = folderOf(t)
  unpackSample(folder, MIGRATIONS.length)
  const today = allOf(root, folder)
  const tree = join(folderOf(t), 'tree')
  for (const part of ['shared', 'main', 'package.json', 'test/store/all-of.ts'])
    cpSync(join(root, part), join(tree, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))

  change(
    tree,
    'shared/ops.ts',
    '  tanh: unary(',
    "  sinh: unary(24, 'sinh(x)', 'hyperbolic sine'),\n  tanh: unary(",
  )
  change(
    tree,
    'shared/catalog.ts',
    '  mobilenetv2: {',
    "  vgg: { label: 'VGG', short: 'VGG', source: 'Simonyan & Zisserman 2015' },\n  mobilenetv2: {",
  )
  const config = 'shared/records/search-config.ts'
  change(
    tree,
    config,
    '    population: labelled(',
    "    elite: labelled(count, 'Elite'),\n    population: labelled(",
  )
  change(
    tree,
    config,
    "recordKind('settings', searchConfigSchema)",
    "recordKind('settings', searchConfigSchema, { migrations: [(old) => " +
      '({ ...old, evolution: { ...old.evolution, elite: 2 } })] })',
  )
  const tomorrow = allOf(tree, folder)

  assert.ok(today.searches.length > 0 && today.searches[0]!.nodes.length > 0 && today.transfers.length > 0)
  for (const { search } of tomorrow.list) {
    const { elite, ...evolution } = search.config.evolution as { elite?: number }
    assert.equal(elite, 2)
    Object.assign(search.config, { evolution })
  }
  for (const { found } of tomorrow.searches) {
    assert.deepEqual(found['sinh'], [])
    delete found['sinh']
  }
  assert.deepEqual(tomorrow, today)
})

test('a search that can’t be read is shown as such by itself, in the list and on the command line', async (t) => {
  const folder = folderOf(t)
  unpackSample(folder, MIGRATIONS.length)
  const db = openStore(folder)
  const [search] = listSearches(db)
  const before = searchSummaries(db, 1)
  db.run('UPDATE searches SET config = ? WHERE id = ?', '{"version": 99}', search!.id)
  const after = searchSummaries(db, 1)
  db.close()
  const at = after.findIndex(isUnreadable)
  assert.equal(after.length, before.length)
  assert.deepEqual(
    after.filter((_, i) => i !== at),
    before.filter((_, i) => i !== at),
  )
  assert.equal(readable(after).length, before.length - 1)

  const where = ['--data-folder', folder]
  const said = new RegExp(`${search!.id}.*cannot be read: settings: it was made by a newer version`)
  const list = await cli(['list', ...where])
  assert.equal(list.code, 0)
  assert.match(list.out, said)
  assert.match(list.out, new RegExp(readable(after)[0]!.search.id))
  const show = await cli(['show', search!.id, ...where])
  assert.equal(show.code, 1)
  assert.match(show.err, said)
})
