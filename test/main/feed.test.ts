import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createFeed, type Feed } from '../../main/feed.ts'
import type { Database } from '../../main/store/database.ts'
import { newestSeq } from '../../main/store/events.ts'
import { add, addSearch, storeOf } from '../store/fixture.ts'
import { collect, until } from './stand-in-app.ts'

/** A feed of a store in which as many candidates were made. */
const feedOf = (t: TestContext, candidates: number): { db: Database; feed: Feed; key: number } => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  db.write(() => {
    for (let number = 2; number < candidates; number++) add(db, key, number, 'x * sigmoid(x)')
  })
  const feed = createFeed(db, { status: () => [], onStatus: () => () => undefined })
  t.after(() => feed.close())
  return { db, feed, key }
}

test('while one is told a long story, everything else has its turns', async (t) => {
  const { db, feed } = feedOf(t, 3000)
  const story: string[] = []
  const { events, listener } = collect()
  let over = false
  const tick = (): void => {
    if (story.at(-1) !== 'turn') story.push('turn')
    if (!over) setImmediate(tick)
  }
  tick()
  feed.subscribe(0, (frame) => {
    listener(frame)
    // News of the workers comes in between, at any time.
    if (frame.events.some(({ kind }) => kind !== 'workers')) story.push('frame')
  })
  await until('the whole story', () => events.at(-1)?.seq === newestSeq(db))
  over = true
  assert.equal(events.length, 3001)
  const frames = story.filter((what) => what === 'frame').length
  assert.ok(frames > 3, `${frames} frames`)
  assert.ok(!story.some((what, i) => what === 'frame' && story[i - 1] === 'frame'), 'two frames in one turn')
})

test('a late subscriber and a new event do not wait for the end of a long story', async (t) => {
  const { db, feed, key } = feedOf(t, 6000)
  const [long, short] = [collect(), collect()]
  feed.subscribe(0, long.listener)
  await until('its beginning', () => long.events.length > 0)
  const since = newestSeq(db)
  feed.subscribe(since, short.listener)
  add(db, key, 6000, 'x')
  await until('the new event', () => short.events.length > 0)
  assert.ok(long.events.at(-1)!.seq < since, 'the long story was over by then')
})

test('who is not ready is told nothing, and all of it later', async (t) => {
  const { db, feed } = feedOf(t, 1200)
  const { events, listener } = collect()
  let [frames, ready] = [0, true]
  feed.subscribe(
    0,
    (frame) => {
      assert.ok(ready, 'told without being ready')
      listener(frame)
      if (++frames === 2) ready = false
    },
    () => ready,
  )
  const other = collect()
  feed.subscribe(0, other.listener)
  await until('the other to know all', () => other.events.at(-1)?.seq === newestSeq(db))
  assert.ok(events.length < other.events.length)
  ready = true
  await until('the rest', () => events.at(-1)?.seq === newestSeq(db))
  assert.deepEqual(
    events.map(({ seq }) => seq),
    other.events.map(({ seq }) => seq),
  )
})

test('a search that the store could not be told of is looked at again, and nothing is missed by who resumes', async (t) => {
  const { db, feed, key } = feedOf(t, 10)
  const { events, listener } = collect()
  feed.subscribe(0, listener)
  await until('all so far', () => events.at(-1)?.seq === newestSeq(db))
  const { seq } = events.at(-1)!
  feed.tellAgain('a search')
  const { time: _, ...told } = events.at(-1)!
  assert.deepEqual(told, { kind: 'search', search: 'a search', seq })
  add(db, key, 10, 'x')
  await until('what came after', () => events.at(-1)?.seq === newestSeq(db))
  assert.equal(events.at(-1)!.seq, seq + 1)
})
