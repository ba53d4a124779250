import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { startServer, type Server } from '../../main/serve.ts'
import { root } from '../../main/setup/process.mjs'
import { storePath } from '../../main/store/folder.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { dataFolder, shortSearch, until } from './stand-in-app.ts'

const serve = async (t: TestContext): Promise<Server> => {
  const server = await startServer({ dataFolder: dataFolder(), workers: 1, evaluator: STAND_IN })
  t.after(() => server.close())
  return server
}
const built = existsSync(path.join(root, 'dist/index.html'))
const page = { skip: built ? false : 'the page is not built' }

/** As it stands on the wire: fetch would tidy the path and the Host header. */
const get = (
  { url }: Server,
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; policy: string; body: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request({ hostname, port, path: target, headers, method }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (body += chunk))
      const policy = String(response.headers['content-security-policy'])
      response.on('end', () => resolve({ status: response.statusCode!, policy, body }))
    })
    sent.on('error', reject).end()
  })

const pathOf = ({ url }: Server): string => new URL(url).pathname + new URL(url).search
const socketOf = ({ url }: Server, search = new URL(url).search): string =>
  `ws://${new URL(url).host}/socket${search}`

test('the page is given to who has the token', page, async (t) => {
  const server = await serve(t)
  const whole = await get(server, pathOf(server))
  assert.equal(whole.status, 200)
  assert.match(whole.body, /<div id="app">/)
  assert.match(whole.policy, /default-src 'none'/)
  for (const wrong of ['/', '/?token=', '/?token=guess', `/?token=${'x'.repeat(32)}`])
    assert.equal((await get(server, wrong)).status, 403, wrong)
})

test('nothing outside of the page is served', async (t) => {
  const server = await serve(t)
  for (const escape of ['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/nothing.js'])
    assert.equal((await get(server, escape)).status, 404, escape)
  assert.equal((await get(server, pathOf(server), { host: 'example.org' })).status, 403)
  assert.equal((await get(server, pathOf(server), {}, 'POST')).status, 405)
})

test('a socket needs the token and the page’s own origin', async (t) => {
  const server = await serve(t)
  const outcome = (address: string, origin?: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(address, origin === undefined ? {} : { origin })
      socket.on('open', () => {
        socket.close()
        resolve('open')
      })
      socket.on('error', (error) => resolve(error.message))
    })
  assert.equal(await outcome(socketOf(server), new URL(server.url).origin), 'open')
  assert.equal(await outcome(socketOf(server)), 'open')
  assert.match(await outcome(socketOf(server, '?token=guess')), /403/)
  assert.match(await outcome(socketOf(server), 'http://example.org'), /403/)
  assert.match(await outcome(socketOf(server).replace('/socket', '/other')), /403/)
})

test('a socket answers requests and resumes its subscription', async (t) => {
  const server = await serve(t)
  const connect = async () => {
    const socket = new WebSocket(socketOf(server))
    const frames: { id?: number; ok?: boolean; value?: never; events?: { kind: string; seq: number }[] }[] =
      []
    socket.on('message', (data) => frames.push(JSON.parse(String(data))))
    await new Promise((resolve) => socket.on('open', resolve))
    return { socket, frames, send: (frame: unknown) => socket.send(JSON.stringify(frame)) }
  }
  const first = await connect()
  first.send({ subscribe: { since: 0 } })
  first.send({ id: 9, name: 'searches.create', argument: { name: 'by wire', config: shortSearch() } })
  const stored = (frames: (typeof first)['frames']) =>
    frames.flatMap(({ events }) => events ?? []).filter(({ kind }) => kind !== 'workers')
  await until('the reply', () => first.frames.some(({ id, ok }) => id === 9 && ok === true))
  await until('events', () => stored(first.frames).length > 5)
  first.socket.terminate()

  const since = stored(first.frames).at(-1)!.seq
  const second = await connect()
  second.send({ subscribe: { since } })
  await until('later events', () => stored(second.frames).length > 0)
  assert.ok(stored(second.frames).every(({ seq }) => seq > since))

  second.socket.send('{')
  await until('the end of a socket that speaks no JSON', () => second.socket.readyState === WebSocket.CLOSED)
})

test('a store that is none ends the program with one sentence', async () => {
  const folder = dataFolder()
  writeFileSync(storePath(folder), 'no store')
  const program = spawn(process.execPath, [
    path.join(root, 'main/serve.ts'),
    '--no-open',
    '--data-folder',
    folder,
  ])
  let words = ''
  program.stderr.on('data', (chunk) => (words += String(chunk)))
  const [code] = (await once(program, 'close')) as [number]
  assert.equal(code, 1)
  assert.match(words, /^normforge: store: .* is not a store: [^\n]*\n$/)
})
