import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { EventFrame } from '../../shared/contract.ts'
import { retryDelay, socketBridge, type Connection, type Socket } from '../../renderer/socket.ts'

type Fake = Socket & { readonly sent: string[]; readonly closed: boolean }

/** Sockets that do what the test says, and what the page was told of the connection. */
const stand = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const sockets: Fake[] = []
  const told: Connection[] = []
  const bridge = socketBridge(
    () => {
      const sent: string[] = []
      const fake = {
        sent,
        closed: false,
        send: (text: string) => void sent.push(text),
        close: () => {
          fake.closed = true
        },
        onopen: null,
        onclose: null,
        onmessage: null,
      }
      sockets.push(fake)
      return fake
    },
    (now) => told.push(now),
  )
  t.after(() => bridge.close())
  const last = (): Fake => sockets.at(-1)!
  return {
    bridge,
    sockets,
    told,
    last,
    open: () => last().onopen?.(),
    lose: () => last().onclose?.(),
    hear: (value: unknown) => last().onmessage?.({ data: JSON.stringify(value) }),
  }
}

const event = (seq: number) => ({ kind: 'search', seq, search: 'x', time: '2026-01-01T00:00:00Z' })
const reply = (id: number) => ({ id, ok: true, value: id })

test('answers find their questions, in whatever order they come', async (t) => {
  const { bridge, open, hear, last } = stand(t)
  open()
  const answers = [1, 2].map((id) => bridge.request({ id, name: 'app.info', argument: {} }))
  hear(reply(2))
  hear(reply(1))
  assert.deepEqual(await Promise.all(answers), [reply(1), reply(2)])
  assert.equal(last().sent.length, 2)
})

test('a question without a connection, or unanswered when it is lost, fails at once', async (t) => {
  const { bridge, open, lose } = stand(t)
  await assert.rejects(bridge.request({ id: 1, name: 'app.info', argument: {} }), /no connection/)
  open()
  const waiting = bridge.request({ id: 2, name: 'app.info', argument: {} })
  lose()
  await assert.rejects(waiting, /connection .* was lost/)
})

test('a lost connection is tried again, later each time, and says since when', (t) => {
  const { sockets, told, open, lose } = stand(t)
  open()
  t.mock.timers.tick(500)
  lose()
  const since = 1_000_500
  for (let attempt = 0; attempt < 8; attempt++) {
    const now = told.at(-1)!
    assert.ok(now.state === 'lost' && now.everOpen && now.since === since)
    assert.equal(now.retryAt - Date.now(), retryDelay(attempt))
    assert.equal(sockets.length, 1 + attempt)
    t.mock.timers.tick(retryDelay(attempt))
    assert.equal(sockets.length, 2 + attempt)
    lose()
  }
  assert.equal(retryDelay(50), 5000)
})

test('a retry by hand does not wait, and leaves no second attempt behind', (t) => {
  const { bridge, sockets, open, lose } = stand(t)
  open()
  lose()
  bridge.retry()
  assert.equal(sockets.length, 2)
  open()
  t.mock.timers.tick(60_000)
  assert.equal(sockets.length, 2)
})

test('after a reconnection the subscription goes on after the last event heard, each event once', (t) => {
  const { bridge, last, open, lose, hear } = stand(t)
  const heard: number[] = []
  const listen = ({ events }: EventFrame): void => {
    for (const one of events) heard.push(one.kind === 'workers' ? -1 : one.seq)
  }
  open()
  bridge.subscribe(4, listen)
  assert.deepEqual(
    last().sent.map((text) => JSON.parse(text)),
    [{ subscribe: { since: 4 } }],
  )
  hear({ events: [event(5), event(6), { kind: 'workers', workers: [] }] })
  lose()
  t.mock.timers.tick(retryDelay(0))
  open()
  assert.deepEqual(
    last().sent.map((text) => JSON.parse(text)),
    [{ subscribe: { since: 6 } }],
  )
  hear({ events: [event(6), event(7)] })
  assert.deepEqual(heard, [5, 6, -1, 7])
})

test('a closed bridge stays closed', (t) => {
  const { bridge, sockets, open, lose, last } = stand(t)
  open()
  bridge.close()
  assert.ok(last().closed)
  lose()
  t.mock.timers.tick(60_000)
  assert.equal(sockets.length, 1)
})
