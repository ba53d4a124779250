/** What others send to the browser host's port. An error that nobody catches fails the test that is under way. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { Server } from '../../main/browser/server.ts'
import { createRandom } from '../../shared/random.ts'
import { until } from './stand-in-app.ts'
import { cookieOf, get, openPage, pathOf, raw, serve } from './wire.ts'

const answers = async (server: Server): Promise<void> => {
  const { status } = await get(server, '/nothing')
  assert.equal(status, 404)
}
const portOf = ({ url }: Server): number => Number(new URL(url).port)
const hostOf = ({ url }: Server): string => new URL(url).host

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const upgrade = (target: string, host: string, more: readonly string[] = []): string =>
  [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    ...['Sec-WebSocket-Version: 13', KEY, ...more, '', ''],
  ].join('\r\n')

/** Addresses that are none, or another host's. */
const TARGETS = [
  ...[
    '//',
    '///',
    '//evil/',
    '//[',
    'http://[',
    'http://evil/',
    'http:///',
    'javascript:1',
    '*',
    '?',
    '\\',
    '/\\',
  ],
  ...[
    '/%',
    '/%00',
    '/%ff%fe',
    '/?token=%',
    '/?token=%ff&token',
    '/..%2f..%2f',
    `/${'%2e%2e/'.repeat(40)}etc/passwd`,
  ],
  ...['/socket', '//socket', '/socket/../socket', '/#', '/a\tb', '/\u00ff', `/${'a/'.repeat(4000)}`],
]

test('no address ends the program, asked for or upgraded to', async (t) => {
  const server = await serve(t)
  const host = hostOf(server)
  const cookie = `Cookie: ${await cookieOf(server)}`
  for (const target of TARGETS) {
    const answer = await raw(
      server,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${cookie}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 (200|400|403|404) /, target)
  }
  for (const target of TARGETS.filter((target) => target !== '/socket' && target !== '/socket/../socket')) {
    const answer = await raw(server, upgrade(target, host, [cookie]))
    assert.match(answer, /^HTTP\/1\.1 (400|403) /, target)
  }
  await answers(server)
})

test('odd requests and upgrades are refused, ranges and all', async (t) => {
  const server = await serve(t)
  const host = hostOf(server)
  const cookie = `Cookie: ${await cookieOf(server)}`
  const ask = (...lines: string[]): string => [...lines, `Host: ${host}`, cookie, '', ''].join('\r\n')
  const odd = [
    ...['Range: bytes=5-2', 'Range: bytes=-1--9', 'Range: x', 'Expect: nonsense'].map((header) =>
      ask('GET /index.html HTTP/1.1', header, 'Connection: close'),
    ),
    ask('GET / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    ask('GET / HTTP/1.1', 'Content-Length: -1'),
    ask('GET / HTTP/1.1', 'Transfer-Encoding: chunked') + 'zz\r\n',
    ask('GET / HTTP/9.9'),
    ask('FOO / HTTP/1.1'),
    ask('CONNECT evil:1 HTTP/1.1'),
    ask('OPTIONS * HTTP/1.1'),
    'GET / HTTP/1.1\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: evil\r\n\r\n`,
    'GET /\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    Buffer.from('160301020001000001fc0303', 'hex'),
    `GET / HTTP/1.1\r\nHost: ${host}\r\n${'X: y\r\n'.repeat(20_000)}\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${'a=b; '.repeat(20_000)}\r\n\r\n`,
    upgrade('/socket', host, [cookie]).replace(KEY, 'Sec-WebSocket-Key: short'),
    upgrade('/socket', host, [cookie]).replace('Version: 13', 'Version: 99'),
    upgrade('/socket', host, [cookie]).replace('Upgrade: websocket', 'Upgrade: h2c'),
    upgrade('/socket', host, [cookie]).replace('GET', 'POST'),
    upgrade('/socket', host, [cookie, 'Sec-WebSocket-Protocol: ,,']),
  ]
  for (const bytes of odd) {
    const answer = await raw(server, bytes)
    assert.doesNotMatch(answer, /^HTTP\/1\.1 (101|206|5)/, String(bytes).slice(0, 80))
  }
  await answers(server)
})

test('an upgrade that is refused and reset is forgotten', async (t) => {
  const server = await serve(t)
  const one = async (index: number): Promise<void> => {
    const socket = net.connect(portOf(server), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(upgrade(index % 2 === 0 ? '/socket' : '//', hostOf(server)))
    if (index % 3 > 0) await new Promise((resolve) => setTimeout(resolve, index % 5))
    socket.resetAndDestroy()
  }
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 20 }, (_, i) => one(i)))
  await answers(server)
})

test('raw bytes, and requests with bytes changed, end nothing', async (t) => {
  const server = await serve(t)
  const random = createRandom(11)
  const cookie = `Cookie: ${await cookieOf(server)}`
  const models = [
    `GET / HTTP/1.1\r\nHost: ${hostOf(server)}\r\n${cookie}\r\n\r\n`,
    upgrade('/socket', hostOf(server), [cookie]),
  ].map((text) => Buffer.from(text))
  const bytes = (): Buffer => {
    const model = random.below(3)
    if (model === 2)
      return Buffer.from(Array.from({ length: 1 + random.below(400) }, () => random.below(256)))
    const changed = Buffer.from(models[model]!)
    for (let n = 1 + random.below(4); n > 0; n--) changed[random.below(changed.length)] = random.below(256)
    return Buffer.concat([
      changed,
      Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256))),
    ])
  }
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 40 }, () => raw(server, bytes(), 100)))
  await answers(server)
})

test('a thousand connections that send little or nothing are closed in time, and a page hears no less', async (t) => {
  const server = await serve(t)
  const page = await openPage(server)
  const open = Array.from({ length: 1000 }, (_, i) => {
    const socket = net.connect(portOf(server), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    const drip = (): void => void socket.write(i % 2 === 0 ? 'X: y\r\n' : 'x')
    if (i % 4 !== 0) socket.write(`GET / HTTP/1.1\r\nHost: ${hostOf(server)}\r\n`)
    // Slowly, so that no silence ends it.
    const timer = i % 4 > 1 ? setInterval(drip, 500) : undefined
    return new Promise((resolve) => socket.on('close', resolve)).finally(() => clearInterval(timer))
  })
  const closed = Promise.all(open)
  for (let n = 0; n < 5; n++) assert.equal((await page.ask('workers.list', {})).ok, true)
  await closed
  await answers(server)
})

test('requests that come in thousands are answered or cut off', async (t) => {
  const server = await serve(t)
  const many = `GET /index.html HTTP/1.1\r\nHost: ${hostOf(server)}\r\n\r\n`.repeat(2000)
  await Promise.all(Array.from({ length: 20 }, () => raw(server, many, 500)))
  await answers(server)
})

test('there are only so many pages', async (t) => {
  const server = await serve(t)
  const cookie = await cookieOf(server)
  const pages = await Promise.all(Array.from({ length: 32 }, () => openPage(server, cookie)))
  await assert.rejects(openPage(server, cookie), /503/)
  pages[0]!.socket.terminate()
  await until('room for another page', () =>
    openPage(server, cookie).then(
      () => true,
      () => false,
    ),
  )
})

/** Frames that a page would never send. */
const BOMBS: readonly (readonly [string, string])[] = [
  ['deep lists', '['.repeat(500_000) + ']'.repeat(500_000)],
  [
    'deep lists in an argument',
    `{"id":1,"name":"app.info","argument":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
  ],
  ['a long list', `{"id":1,"name":"searches.get","argument":{"id":[${'1,'.repeat(400_000)}1]}}`],
  [
    'many keys',
    `{"id":1,"name":"app.info","argument":{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}}}`,
  ],
  ['a long name', `{"id":1,"name":"${'x'.repeat(900_000)}","argument":{}}`],
  [
    'a prototype',
    '{"id":1,"name":"app.info","argument":{"__proto__":{"polluted":1}},"__proto__":{"polluted":1}}',
  ],
  ['an inherited name', '{"id":1,"name":"__proto__","argument":{}}'],
  ['a constructor', '{"id":1,"name":"constructor","argument":{"constructor":{"prototype":{"polluted":1}}}}'],
  ['a subscription of none', '{"subscribe":{"since":-1}}'],
  ['a big number', '{"id":1e308,"name":"app.info","argument":{}}'],
  ['nothing', 'null'],
  ['a picture elsewhere', '{"id":1,"name":"transfers.picture","argument":{"run":"../..","name":"../x.png"}}'],
]

test('no frame of a page ends the program, or is answered at length', async (t) => {
  const server = await serve(t)
  const page = await openPage(server)
  for (const [name, text] of BOMBS) {
    const before = page.frames.length
    page.socket.send(text)
    await until(name, () => page.frames.length > before)
    const answer = page.frames.at(-1)!
    assert.ok(answer.ok === false, `${name}: ${JSON.stringify(answer).slice(0, 200)}`)
    assert.ok(
      JSON.stringify(answer).length < 3000,
      `${name}: an answer of ${JSON.stringify(answer).length} bytes`,
    )
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal((await page.ask('workers.list', {})).ok, true)

  const cookie = await cookieOf(server)
  for (const text of ['{', '', '\u0000', 'x'.repeat((1 << 20) + 1)]) {
    const other = await openPage(server, cookie)
    other.socket.send(text)
    await once(other.socket, 'close')
  }
  // Frames that break the protocol: reserved bits, a control frame in pieces, a length of 2^63, no mask, bad UTF-8.
  for (const hex of [
    'f1800000',
    '090000',
    '81ff7fffffffffffffff00000000',
    '8105',
    '8182000000ffff',
    '8f80',
    '00',
  ]) {
    const other = await openPage(server, cookie)
    const connection = Reflect.get(other.socket, '_socket') as net.Socket
    other.socket.on('error', () => undefined)
    connection.end(Buffer.from(hex, 'hex'))
    await once(other.socket, 'close')
  }
  await answers(server)
})

test('a page that asks ten thousand things at once keeps no other waiting', async (t) => {
  const server = await serve(t)
  const cookie = await cookieOf(server)
  const [loud, quiet] = [await openPage(server, cookie), await openPage(server, cookie)]
  const asked = 10_000
  for (let id = 1; id <= asked; id++) loud.send({ id, name: 'workers.list', argument: {} })
  await until('its first answer', () => loud.frames.length > 0)
  assert.equal((await quiet.ask('workers.list', {})).ok, true)
  assert.ok(
    loud.frames.length < asked,
    `${loud.frames.length} of ${asked} answered before the other page's one`,
  )
  loud.socket.terminate()
  await once(loud.socket, 'close')
  assert.equal(loud.socket.readyState, WebSocket.CLOSED)
  await answers(server)
})

test('the token opens nothing when it stands in an address of another kind', async (t) => {
  const server = await serve(t)
  const target = pathOf(server.url)
  const answer = await raw(server, `GET http://${hostOf(server)}${target} HTTP/1.1\r\nHost: evil\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 403 /)
})
