import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layoutTree, type TreeNode } from '../../renderer/draw/tree.ts'
import { createRandom } from '../../shared/random.ts'

const node = (number: number, parent: number | null, labelled = false): TreeNode => ({
  number,
  parent,
  labelled,
})
const forest = (size: number, seed: number, rootEvery: number): TreeNode[] => {
  const random = createRandom('forest', seed)
  return Array.from({ length: size }, (_, i) =>
    i === 0 || random.next() < 1 / rootEvery
      ? node(i, null, i < 12)
      : node(i, Math.max(0, i - 1 - random.below(Math.min(i, 60)))),
  )
}

test('an only child stays on the row of its parent', () => {
  const { rows, extent } = layoutTree([node(0, null), node(3, 0), node(9, 3)])
  assert.deepEqual([...rows.values()], [0, 0, 0])
  assert.deepEqual(extent, [0, 0])
})

test('the longest-lived child carries the row on, its siblings step aside', () => {
  const { rows } = layoutTree([node(0, null), node(10, 0), node(20, 0), node(90, 20), node(100, 10)])
  assert.equal(rows.get(100), rows.get(0), '100 is the latest descendant')
  assert.equal(rows.get(10), rows.get(0))
  assert.notEqual(rows.get(20), rows.get(0))
  assert.equal(rows.get(90), rows.get(20))
})

test('a later family takes the rows of one that died out', () => {
  const { extent } = layoutTree([
    node(0, null),
    node(10, 0),
    node(20, 0),
    node(60, null),
    node(90, 60),
    node(99, 60),
  ])
  assert.ok(extent[1] - extent[0] <= 1, `two rows for both families, got ${extent.join('..')}`)
})

test('no two nodes share a place and no branch runs over another layer', () => {
  const nodes = forest(600, 7, 40)
  const { rows } = layoutTree(nodes)
  assert.equal(rows.size, nodes.length)
  const byRow = new Map<number, { from: number; to: number; name: string }[]>()
  for (const { number, parent } of nodes) {
    const row = rows.get(number)!
    const runs = byRow.get(row) ?? []
    byRow.set(row, runs)
    // The line along the child's row, from the parent's number to the child.
    runs.push({ from: parent ?? number, to: number, name: `${parent}-${number}` })
  }
  const start = new Map(nodes.map((n) => [n.number, n.parent ?? n.number]))
  for (const runs of byRow.values())
    for (const a of runs)
      for (const b of runs) {
        if (a === b || a.from >= b.to || b.from >= a.to) continue
        // Two runs of one row may only overlap where they leave the same parent's row: never inside.
        const inside = Math.min(a.to, b.to) - Math.max(a.from, b.from)
        const column = nodes.length / 255
        assert.ok(inside <= column, `runs ${a.name} and ${b.name} overlap by ${inside} candidates`)
      }
  assert.ok(start.size > 0)
})

test('a collapsed layer hides its descendants and counts them', () => {
  const nodes = [node(0, null), node(1, 0), node(2, 1), node(3, 1), node(4, 0)]
  const { rows, hidden } = layoutTree(nodes, new Set([1]))
  assert.deepEqual([...rows.keys()].sort(), [0, 1, 4])
  assert.equal(hidden.get(1), 2)
})

test('a parent outside the list makes a root', () => {
  const { rows } = layoutTree([node(5, 2), node(7, 5)])
  assert.equal(rows.size, 2)
})

test('labelled families stand in the order of their numbers, from the top', () => {
  const nodes = Array.from({ length: 8 }, (_, i) => node(i, null, true))
  const { rows } = layoutTree([...nodes, node(40, 3), node(100, 5)])
  const order = nodes.map((n) => rows.get(n.number)!)
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test('10,000 candidates are laid out, each in its place', (context) => {
  const nodes = forest(10_000, 3, 200)
  const start = performance.now()
  const { rows, extent } = layoutTree(nodes)
  const took = performance.now() - start
  assert.equal(rows.size, 10_000)
  context.diagnostic(`layout of 10,000 nodes: ${took.toFixed(0)} ms, rows ${extent.join('..')}`)
})
