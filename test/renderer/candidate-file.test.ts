import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CandidateRow } from '../../shared/contract.ts'
import { allRows, asCsv } from '../../renderer/candidate-file.ts'
import { FIRST_LIST } from '../../renderer/list.ts'

const row = (number: number, more: Partial<CandidateRow> = {}): CandidateRow => ({
  number,
  role: 'candidate',
  parent: null,
  origin: 'random',
  status: 'scored',
  rejected: null,
  duplicateOf: null,
  family: null,
  known: null,
  average: 0.5,
  scores: [0.4, 0.6],
  fingerprint: `f${number}`,
  alive: true,
  formula: 'max(x, 0)',
  nodes: 1,
  seconds: 2,
  ...more,
})

test('an export fetches every row of the list, chunk by chunk', async () => {
  const all = Array.from({ length: 1203 }, (_, i) => row(i))
  const asked: number[] = []
  const rows = await allRows(
    async (_, { offset, limit }) => {
      asked.push(offset)
      return { rows: all.slice(offset, offset + limit), total: all.length }
    },
    'x',
    FIRST_LIST,
  )
  assert.deepEqual(rows, all)
  assert.deepEqual(asked, [0, 500, 1000])
})

test('an export ends when the list shrinks while it is read', async () => {
  const rows = await allRows(
    async (_, { offset }) => ({ rows: offset === 0 ? [row(0)] : [], total: 2 }),
    'x',
    FIRST_LIST,
  )
  assert.equal(rows.length, 1)
})

test('a CSV has a column for each architecture, quotes what holds a comma, and leaves what is missing empty', () => {
  const rejected = row(8, { status: 'rejected', rejected: 'static', average: null, scores: null, parent: 7 })
  const [head, first, second] = asCsv([row(7), rejected], ['ResNet', 'Wide "B"']).split('\n')
  assert.equal(
    head,
    'number,outcome,average,ResNet,"Wide ""B""",origin,parent,duplicate_of,alive,nodes,seconds,fingerprint,formula',
  )
  assert.equal(first, '7,scored,0.5,0.4,0.6,random,,,true,1,2,f7,"max(x, 0)"')
  assert.equal(second, '8,static,,,,random,7,,true,1,2,f8,"max(x, 0)"')
})
