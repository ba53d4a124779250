/** The preload as Chromium runs it: a script that is given `require`; here joined to the main process's end. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import vm from 'node:vm'
import type { Bridge, EventFrame } from '../../shared/contract.ts'
import { answerPages } from '../../main/electron/ipc.ts'
import { root } from '../../main/setup/process.mjs'

type Handler = (event: object, frame: unknown) => unknown
type Listener = (frame: EventFrame) => void

const joined = (): {
  bridge: Bridge
  subscribers: Map<number, Listener>
  requests: unknown[]
  ready: (() => boolean)[]
} => {
  const handlers: Record<string, Handler> = {}
  const register = (channel: string, handler: unknown): void => {
    handlers[channel] = handler as Handler
  }
  const subscribers = new Map<number, Listener>()
  const ready: (() => boolean)[] = []
  const requests: unknown[] = []
  answerPages(
    { handle: register, on: register as never },
    {
      request: async (frame) => {
        requests.push(frame)
        return { id: 1, ok: true, value: 'answer' }
      },
      subscribe: (since, listener, isReady = () => true) => {
        ready.push(isReady)
        subscribers.set(since, listener)
        return () => subscribers.delete(since)
      },
    },
  )
  const page = new EventEmitter()
  const sender = Object.assign(new EventEmitter(), {
    isDestroyed: () => false,
    send: (channel: string, frame: unknown) => void page.emit(channel, {}, frame),
  })
  const event = { sender, senderFrame: { url: 'app://normforge/', parent: null } }
  const call = (channel: string, frame: unknown): unknown => handlers[channel]?.(event, frame)
  const ipcRenderer = Object.assign(page, { invoke: async (c: string, f: unknown) => call(c, f), send: call })

  const exposed: Record<string, Bridge> = {}
  const contextBridge = { exposeInMainWorld: (name: string, bridge: Bridge) => (exposed[name] = bridge) }
  const require = (name: string): object => {
    if (name !== 'electron') throw new Error(`a sandboxed preload can't require ${name}`)
    return { contextBridge, ipcRenderer }
  }
  vm.runInNewContext(readFileSync(path.join(root, 'main/electron/preload.cjs'), 'utf8'), { require })
  assert.deepEqual(Object.keys(exposed), ['normforge'])
  return { bridge: exposed.normforge!, subscribers, requests, ready }
}

test('a request of the page reaches the api, and the reply the page', async () => {
  const { bridge, requests } = joined()
  const frame = { id: 1, name: 'app.info', argument: {} }
  assert.deepEqual(await bridge.request(frame), { id: 1, ok: true, value: 'answer' })
  assert.deepEqual(requests, [frame])
})

test('events reach the newest subscriber until it leaves', () => {
  const { bridge, subscribers } = joined()
  const heard: string[] = []
  const frame: EventFrame = { events: [{ kind: 'workers', workers: [] }] }
  const leaveFirst = bridge.subscribe(0, () => heard.push('first'))
  subscribers.get(0)?.(frame)
  const leaveSecond = bridge.subscribe(5, () => heard.push('second'))
  assert.deepEqual([...subscribers.keys()], [5])
  subscribers.get(5)?.(frame)
  leaveFirst()
  subscribers.get(5)?.(frame)
  leaveSecond()
  subscribers.get(5)?.(frame)
  assert.deepEqual(heard, ['first', 'second', 'second'])
})

test('a page that hears its events is sent them without end', () => {
  const { bridge, subscribers, ready } = joined()
  let heard = 0
  bridge.subscribe(0, () => heard++)
  for (let n = 0; n < 1000 && ready[0]!(); n++) subscribers.get(0)?.({ events: [] })
  assert.equal(heard, 1000)
})
