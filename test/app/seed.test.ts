import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineage } from '../../main/store/reading.ts'
import { getSearch, keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import type { LineageNode } from '../../shared/contract.ts'
import type { Search } from '../../shared/records.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { seedStore } from './seed.ts'

const seeded = (seed: number): { search: Search; nodes: LineageNode[] } => {
  const folder = dataFolder()
  const { id } = seedStore(folder, { candidates: 600, seed })
  const db = openStore(folder)
  try {
    return { search: getSearch(db, id)!, nodes: lineage(db, keyOf(db, id)) }
  } finally {
    db.close()
  }
}

test('a made-up store has something of everything, and says that it is made up', () => {
  const { search, nodes } = seeded(1)
  assert.match(search.name, /Fixture/)
  assert.match(search.made['fixture']!, /made up/)
  const kinds = new Set(nodes.map((node) => node.rejected ?? node.status))
  for (const kind of ['scored', 'duplicate', 'static', 'quality', 'stability', 'failed'])
    assert.ok(kinds.has(kind as LineageNode['status']), `needs a ${kind} candidate`)
  assert.equal(nodes.filter((node) => node.alive).length, search.config.evolution.population)
  assert.ok(nodes.some((node) => node.status === 'scored' && node.role === 'candidate' && !node.alive))
})

test('the same seed makes the same store, another seed another one', () => {
  assert.deepEqual(seeded(1).nodes, seeded(1).nodes)
  assert.notDeepEqual(seeded(1).nodes, seeded(2).nodes)
})
