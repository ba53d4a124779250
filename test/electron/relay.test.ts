/** Page, preload and main process joined: the preload as Chromium runs it, a script that is given `require`. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import vm from 'node:vm'
import type { ToHost } from '../../main/desktop/messages.ts'
import { relayPages } from '../../main/electron/relay.ts'
import { root } from '../../main/setup/process.mjs'
import type { Desktop, Line } from '../../shared/desktop.ts'

type Handler = (event: object, ...rest: unknown[]) => unknown
const PRELOAD = readFileSync(path.join(root, 'main/electron/preload.cjs'), 'utf8')
const HOME = 'app://normforge/index.html'

/** A main process with a host that notes what it is sent. */
const stand = (ready = true) => {
  const handlers: Record<string, Handler> = {}
  const sent: ToHost[] = []
  const host = { isReady: () => ready, send: (message: ToHost) => void sent.push(message) }
  const relay = relayPages(
    { on: (channel: string, handler: unknown) => (handlers[channel] = handler as Handler) } as never,
    () => host,
  )
  const call = (event: object, channel: string, ...rest: unknown[]) => handlers[channel]?.(event, ...rest)
  return {
    relay,
    sent,
    call,
    begin: () => ((ready = true), relay.ready()),
    stop: () => ((ready = false), relay.lost()),
  }
}
type Stand = ReturnType<typeof stand>

/** What a page that was loaded has: the bridge, and its process's end. */
const load = ({ call }: Stand, contents = new EventEmitter(), url = HOME, parent: object | null = null) => {
  const renderer = new EventEmitter()
  const sender = Object.assign(contents, {
    isDestroyed: () => false,
    send: (channel: string, ...rest: unknown[]) => void renderer.emit(channel, {}, ...rest),
  })
  const event = { sender, senderFrame: { url, parent } }
  const ipcRenderer = Object.assign(renderer, {
    send: (channel: string, ...rest: unknown[]) => void call(event, channel, ...rest),
  })
  const exposed: Record<string, Desktop> = {}
  const contextBridge = { exposeInMainWorld: (name: string, bridge: Desktop) => (exposed[name] = bridge) }
  const require = (name: string): object => {
    if (name !== 'electron') throw new Error(`a sandboxed preload can't require ${name}`)
    return { contextBridge, ipcRenderer }
  }
  vm.runInNewContext(PRELOAD, { require })
  assert.deepEqual(Object.keys(exposed), ['normforge'])
  const told: string[] = []
  const dial = (): Line =>
    exposed.normforge!.connect({
      open: () => told.push('open'),
      wait: (text, share) => told.push(`wait ${text} ${share}`),
      text: (text) => told.push(`text ${text}`),
      close: () => told.push('close'),
    })
  return { contents, told, dial, event }
}
const pageOf = (message: ToHost | undefined): number => (message && 'page' in message ? message.page : -1)

test('a page’s frames reach the host, and the host’s the page, put together from their pieces', () => {
  const main = stand()
  const { told, dial } = load(main)
  const line = dial()
  const page = pageOf(main.sent[0])
  line.send('{"id":1}')
  for (const [text, last] of [
    ['{"id"', false],
    [':1,"ok"', false],
    [':true}', true],
  ] as const)
    main.relay.pass({ kind: 'text', page, text, last })
  assert.deepEqual(told, ['open', 'text {"id":1,"ok":true}'])
  assert.deepEqual(main.sent, [
    { kind: 'open', page },
    { kind: 'text', page, text: '{"id":1}' },
    ...[5, 7, 6].map((characters) => ({ kind: 'heard', page, characters })),
  ])
  line.close()
  assert.deepEqual(main.sent.at(-1), { kind: 'closed', page })
})

test('a page that is there before the host waits for it; one whose host dies is told, and dials anew', () => {
  const main = stand(false)
  const { told, dial } = load(main)
  dial()
  assert.deepEqual([told, main.sent], [[], []])
  main.relay.wait('fetching', 0.5)
  main.begin()
  main.relay.wait('too late', null)
  assert.deepEqual(told.splice(0, 1), ['wait fetching 0.5'])
  assert.deepEqual(told, ['open'])
  const first = pageOf(main.sent[0])
  main.relay.pass({ kind: 'text', page: first, text: 'half', last: false })
  main.stop()
  assert.deepEqual(told, ['open', 'close'])
  dial()
  main.begin()
  const second = pageOf(main.sent.at(-1))
  assert.notEqual(second, first)
  main.relay.pass({ kind: 'text', page: first, text: 'of the dead', last: true })
  main.relay.pass({ kind: 'text', page: second, text: 'whole', last: true })
  assert.deepEqual(told, ['open', 'close', 'open', 'text whole'])
})

test('a page that is loaded anew hears nothing of what the one before it was sent', () => {
  const main = stand()
  const before = load(main)
  before.dial()
  const after = load(main, before.contents)
  main.relay.pass({ kind: 'text', page: 1, text: 'for the first', last: true })
  assert.deepEqual(after.told, [])
  after.dial()
  assert.deepEqual(main.sent.slice(-2), [
    { kind: 'closed', page: 1 },
    { kind: 'open', page: 2 },
  ])
  before.contents.emit('destroyed')
  assert.deepEqual(main.sent.at(-1), { kind: 'closed', page: 2 })
})

test('nobody but the page itself is heard, and of the page only what it may say', () => {
  const main = stand()
  for (const [url, parent] of [
    ['https://evil/', null],
    ['file:///index.html', null],
    [HOME, { url: HOME }],
  ] as const) {
    const foreign = load(main, new EventEmitter(), url, parent)
    foreign.dial().send('x')
  }
  const { event, dial, told } = load(main)
  main.call({ ...event, senderFrame: null }, 'open', 1)
  for (const wrong of [undefined, 'x', 1.5, {}, null, NaN]) main.call(event, 'open', wrong)
  assert.deepEqual(main.sent, [])
  const line = dial()
  main.call({ ...event, senderFrame: { url: 'https://evil/', parent: null } }, 'text', 1, 'x')
  for (const wrong of [undefined, 7, {}, Buffer.alloc(3)]) line.send(wrong as never)
  assert.equal(main.sent.length, 1)
  line.send('x'.repeat(2 ** 20 + 1))
  assert.deepEqual(told, ['open', 'close'])
  assert.deepEqual(main.sent.slice(1), [{ kind: 'closed', page: 1 }])
})
