import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle, startCandidate } from '../../main/store/candidates.ts'
import type { Database } from '../../main/store/database.ts'
import { eventsSince, newestSeq } from '../../main/store/events.ts'
import { oneNode } from '../../main/store/reading.ts'
import { setSeconds, updateSearch } from '../../main/store/searches.ts'
import type { StoredEvent } from '../../shared/contract.ts'
import { add, addSearch, scored, storeOf } from './fixture.ts'

const about = (event: StoredEvent): string | number =>
  event.kind === 'candidate' ? event.node.number : event.kind === 'search' ? event.search : event.promotion

const told = (db: Database, since: number, limit = 1000): (string | number)[] =>
  eventsSince(db, since, limit).events.map(about)

test('every change is an event of the newest state, and the sequence only grows', (t) => {
  const db = storeOf(t)
  assert.equal(newestSeq(db), 0)
  const { id, key } = addSearch(db)
  const begun = newestSeq(db)
  assert.deepEqual(told(db, 0), [id, 0, 1])

  add(db, key, 2, 'x * sigmoid(x)')
  const added = newestSeq(db)
  assert.ok(added > begun)
  startCandidate(db, key, 2)
  settle(db, key, 2, scored([0.4, 0.6]), 3)
  const { events, next } = eventsSince(db, added, 1000)
  assert.equal(next, newestSeq(db))
  assert.equal(events.length, 1, 'two events about one candidate are told as one')
  const event = events[0]!
  assert.ok(event.kind === 'candidate')
  assert.equal(event.seq, next)
  assert.equal(event.search, id)
  assert.deepEqual(event.node, oneNode(db, key, 2))
  assert.ok(!Number.isNaN(Date.parse(event.time)))
  assert.deepEqual(eventsSince(db, next, 1000), { events: [], next })
})

test('whoever reads in pieces misses nothing', (t) => {
  const db = storeOf(t)
  const { id, key } = addSearch(db)
  for (let number = 2; number < 12; number++) add(db, key, number, 'x')
  updateSearch(db, key, { stage: 'search' })
  const all = new Set<string | number>()
  let next = 0
  let seq = 0
  for (let more = true; more;) {
    const piece = eventsSince(db, next, 3)
    for (const event of piece.events) {
      assert.ok(event.seq > seq)
      seq = event.seq
      all.add(about(event))
    }
    more = piece.next > next
    next = piece.next
  }
  assert.deepEqual([...all].sort(), [id, ...Array.from({ length: 12 }, (_, i) => i)].sort())
  assert.equal(seq, newestSeq(db))
})

test("duplicates are told when their original's scores come", (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  add(db, key, 2, 'x')
  add(db, key, 3, 'x', { verdict: { kind: 'duplicate', of: 2 } })
  const since = newestSeq(db)
  settle(db, key, 2, scored([0.5]), 1)
  assert.deepEqual(told(db, since), [2, 3])
})

test('what is undone is not told, and running time is no event', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const since = newestSeq(db)
  setSeconds(db, key, 5)
  assert.throws(() =>
    db.write(() => {
      add(db, key, 2, 'x')
      throw new Error('half-way')
    }),
  )
  assert.deepEqual(told(db, since), [])
})

test('events of several searches come in one order', (t) => {
  const db = storeOf(t)
  const [first, second] = [addSearch(db), addSearch(db)]
  const since = newestSeq(db)
  add(db, second.key, 2, 'x')
  add(db, first.key, 2, 'x')
  updateSearch(db, second.key, { state: 'paused' })
  const { events } = eventsSince(db, since, 10)
  assert.deepEqual(
    events.map((event) => [event.kind === 'transfer' ? null : event.search, event.kind]),
    [
      [second.id, 'candidate'],
      [first.id, 'candidate'],
      [second.id, 'search'],
    ],
  )
})
