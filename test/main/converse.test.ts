import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { BOUNDS, converse, type Bounds } from '../../main/converse.ts'
import type { EventFrame } from '../../shared/contract.ts'
import { until } from './stand-in-app.ts'

const BIG = 'x'.repeat(2 ** 20)

/** A page and the api it talks to, which answers each request with a mebibyte. */
const talk = async (t: TestContext, bounds: Partial<Bounds> = {}) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  const asked: unknown[] = []
  const told: { isReady: () => boolean; stopped: boolean; tell: (frame: EventFrame) => void }[] = []
  server.on('connection', (socket) =>
    converse(
      socket,
      {
        request: async (frame) => {
          asked.push(frame)
          return { id: asked.length, ok: true, value: BIG }
        },
        subscribe: (_since, tell, isReady = () => true) => {
          const one = { isReady, tell, stopped: false }
          told.push(one)
          return () => (one.stopped = true)
        },
      },
      { ...BOUNDS, ...bounds },
    ),
  )
  await once(server, 'listening')
  const page = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  let heard = 0
  page.on('message', () => heard++)
  await once(page, 'open')
  return { page, asked, told, heard: () => heard, connection: Reflect.get(page, '_socket') as Socket }
}

test('what a page does not read is not made', async (t) => {
  const { page, asked, heard, connection } = await talk(t, { unreadBytes: 2 ** 21 })
  connection.pause()
  for (let id = 1; id <= 100; id++) page.send(JSON.stringify({ id }))
  await until('the first answers', () => asked.length > 3)
  await new Promise((resolve) => setTimeout(resolve, 300))
  // Beside the bound, the kernel's buffers hold some mebibytes.
  assert.ok(asked.length < 40, `${asked.length} of 100 answered, nothing read`)
  connection.resume()
  await until('the rest, when it reads again', () => heard() === 100)
})

test('a page that is behind is told of no events', async (t) => {
  const { page, told, connection } = await talk(t, { unreadBytes: 2 ** 20 })
  page.send(JSON.stringify({ subscribe: { since: 0 } }))
  await until('the subscription', () => told.length === 1)
  assert.ok(told[0]!.isReady())
  connection.pause()
  for (let id = 1; id <= 40; id++) page.send(JSON.stringify({ id }))
  await until('the bound', () => !told[0]!.isReady())
  connection.resume()
  await until('room again', () => told[0]!.isReady())
})

test('a page that reads nothing for long is closed, and its subscription ended', async (t) => {
  const { page, told, connection } = await talk(t, { stalledMs: 50 })
  page.send(JSON.stringify({ subscribe: { since: 0 } }))
  connection.pause()
  for (let id = 1; id <= 100; id++) page.send(JSON.stringify({ id }))
  await until('the end of its subscription', () => told[0]?.stopped === true)
  connection.resume()
  await once(page, 'close')
})

test('a second subscription takes the place of the first', async (t) => {
  const { page, told } = await talk(t)
  for (const since of [0, 5]) page.send(JSON.stringify({ subscribe: { since } }))
  await until('both', () => told.length === 2)
  assert.deepEqual(
    told.map(({ stopped }) => stopped),
    [true, false],
  )
})
