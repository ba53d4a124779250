import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { EventFrame } from '../../shared/contract.ts'
import { answerPages } from '../../main/electron/ipc.ts'

type Handler = (event: unknown, frame: unknown) => unknown

/** Electron's side of the calls, as far as `answerPages` uses it. */
class Page extends EventEmitter {
  readonly received: unknown[] = []
  gone = false
  isDestroyed = (): boolean => this.gone
  send = (_channel: string, frame: unknown): void => void this.received.push(frame)
  from = (url: string, parent: object | null = null): object => ({
    sender: this,
    senderFrame: { url, parent },
  })
}

const connect = () => {
  const handlers: Record<string, Handler> = {}
  const register = (channel: string, handler: unknown): void => {
    handlers[channel] = handler as Handler
  }
  const requests: unknown[] = []
  const subscribers = new Map<number, (frame: EventFrame) => void>()
  const ready = new Map<number, () => boolean>()
  answerPages(
    { handle: register, on: register as never },
    {
      request: async (frame) => {
        requests.push(frame)
        return { id: 1, ok: true, value: 'answer' }
      },
      subscribe: (since, listener, isReady = () => true) => {
        subscribers.set(since, listener)
        ready.set(since, isReady)
        return () => subscribers.delete(since)
      },
    },
  )
  return { call: handlers, requests, subscribers, ready }
}
const HOME = 'app://normforge/index.html'

test('a request of the page is answered by the api', async () => {
  const { call, requests } = connect()
  const frame = { id: 1, name: 'app.info', argument: {} }
  assert.deepEqual(await call.request?.(new Page().from(HOME), frame), { id: 1, ok: true, value: 'answer' })
  assert.deepEqual(requests, [frame])
})

test('a request from anywhere else is refused before the api sees it', () => {
  const { call, requests, subscribers } = connect()
  const page = new Page()
  const foreign = [
    page.from('https://evil/'),
    page.from('file:///index.html'),
    page.from(HOME, { url: HOME }),
    { sender: page, senderFrame: null },
  ]
  for (const event of foreign) {
    assert.throws(() => call.request?.(event, { id: 1 }), /needs a request of the page/)
    call.subscribe?.(event, { subscribe: { since: 0 } })
  }
  assert.deepEqual(requests, [])
  assert.equal(subscribers.size, 0)
})

test('a page has one subscription, which ends with it', () => {
  const { call, subscribers } = connect()
  const page = new Page()
  call.subscribe?.(page.from(HOME), { subscribe: { since: 3 } })
  const frame: EventFrame = { events: [{ kind: 'workers', workers: [] }] }
  subscribers.get(3)?.(frame)
  assert.deepEqual(page.received, [frame])
  call.subscribe?.(page.from(HOME), { subscribe: { since: 7 } })
  assert.deepEqual([...subscribers.keys()], [7])
  page.gone = true
  subscribers.get(7)?.(frame)
  assert.equal(page.received.length, 1)
  page.emit('destroyed')
  assert.equal(subscribers.size, 0)
})

test('a page that hangs is sent a few frames, then no more until it has heard one', () => {
  const { call, subscribers, ready } = connect()
  const page = new Page()
  call.subscribe?.(page.from(HOME), { subscribe: { since: 0 } })
  while (ready.get(0)!() && page.received.length < 1000) subscribers.get(0)!({ events: [] })
  assert.ok(page.received.length > 1 && page.received.length < 100, `${page.received.length} frames`)
  call.heard?.(page.from('https://evil/'), undefined)
  assert.ok(!ready.get(0)!())
  call.heard?.(page.from(HOME), undefined)
  assert.ok(ready.get(0)!())
})

test('a subscription that is none is left out', () => {
  const { call, subscribers } = connect()
  for (const frame of [
    null,
    {},
    { subscribe: {} },
    { subscribe: { since: -1 } },
    { subscribe: { since: 'x' } },
  ])
    call.subscribe?.(new Page().from(HOME), frame)
  assert.equal(subscribers.size, 0)
})
