import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { root } from '../../main/setup/process.mjs'
import { storePath } from '../../main/store/folder.ts'
import { dataFolder, shortSearch, until } from './stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { cookieOf, get, openPage, pathOf, serve, type Page } from './wire.ts'

const built = existsSync(path.join(root, 'dist/index.html'))
const page = { skip: built ? false : 'the page is not built' }

test('the page is given to who has the token, and from then on to who has its cookie', page, async (t) => {
  const server = await serve(t)
  const whole = await get(server, pathOf(server.url))
  assert.equal(whole.status, 200)
  assert.match(whole.body, /<div id="app">/)
  assert.match(String(whole.headers['content-security-policy']), /default-src 'none'/)
  const [set] = whole.headers['set-cookie'] ?? []
  assert.match(set ?? '', /^normforge-\d+=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/)
  const cookie = set!.split(';')[0]!
  assert.equal((await get(server, '/', { cookie: `other=1; ${cookie}` })).status, 200)

  for (const wrong of ['/', '/?token=', '/?token=guess', `/?token=${'x'.repeat(32)}`])
    assert.equal((await get(server, wrong)).status, 403, wrong)
  for (const wrong of ['', 'x', cookie.slice(0, -1), `${cookie}x`, cookie.replace('normforge', 'other')])
    assert.equal((await get(server, '/', { cookie: wrong })).status, 403, wrong)
})

test('a token that is kept between starts keeps the cookie good', page, async (t) => {
  const token = 'kept-between-two-starts-of-the-host'
  const server = await serve(t, { token })
  assert.equal(new URL(server.url).searchParams.get('token'), token)
  const [set] = (await get(server, pathOf(server.url))).headers['set-cookie'] ?? []
  assert.match(set ?? '', /; Max-Age=\d{8}$/)
})

test('an invitation opens the page once', page, async (t) => {
  const server = await serve(t)
  const invitation = pathOf(server.invite())
  const first = await get(server, invitation)
  assert.equal(first.status, 200)
  assert.equal(first.headers['set-cookie']?.[0]?.split(';')[0], await cookieOf(server))
  assert.equal((await get(server, invitation)).status, 403)
  const late = pathOf(server.invite())
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 61_000)
  assert.equal((await get(server, late)).status, 403)
})

/** Asks for an address and prints the answer's status. */
const ANOTHER_USER = `
import sys, urllib.error, urllib.request
try: print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error: print(error.code)`
const another = { skip: page.skip || (process.getuid?.() === 0 ? false : 'needs root, to be another user') }

test(
  'an invitation that another user read in the list of processes is no good to them',
  another,
  async (t) => {
    const server = await serve(t)
    const invitation = server.invite()
    const thief = spawn('python3', ['-c', ANOTHER_USER, invitation], { uid: 65534, cwd: '/', stdio: 'pipe' })
    let out = ''
    thief.stdout.on('data', (chunk) => (out += String(chunk)))
    await once(thief, 'close')
    assert.equal(out, '403\n')
    assert.equal((await get(server, pathOf(invitation))).status, 200)
  },
)

test('the browser that is started is not given the token, and others not the data folder', page, async () => {
  const folder = dataFolder()
  const [browser, told, data] = ['browser', 'told', 'data'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(browser, `#!/bin/sh\necho "$@" > ${told}.new && mv ${told}.new ${told}\n`, { mode: 0o755 })
  const program = spawn(
    process.execPath,
    [path.join(root, 'main/serve.ts'), '--workers', '1', '--threads', '1', '--data-folder', data],
    { env: { ...process.env, BROWSER: browser, DISPLAY: '' } },
  )
  try {
    let out = ''
    program.stdout.on('data', (chunk) => (out += String(chunk)))
    await until('the browser', () => existsSync(told))
    const url = /http:\S+/.exec(out)![0]
    const opened = readFileSync(told, 'utf8').trim()
    assert.equal(new URL(opened).host, new URL(url).host)
    assert.ok(!opened.includes(new URL(url).searchParams.get('token')!), opened)
    assert.equal((await get({ url }, pathOf(opened))).status, 200)
    assert.equal((await get({ url }, pathOf(opened))).status, 403)
    assert.deepEqual(
      [data, storePath(data)].map((at) => statSync(at).mode & 0o077),
      [0, 0],
    )
  } finally {
    program.kill()
  }
  assert.equal((await once(program, 'close'))[0], 0)
})

test(
  'a second start has the address of the first, so that bookmarks live; two at once have two',
  page,
  async () => {
    const folder = dataFolder()
    const data = path.join(folder, 'data')
    const env = { ...process.env, NORMFORGE_CACHE: folder, NORMFORGE_EVALUATOR: STAND_IN }
    const start = async () => {
      const args = [path.join(root, 'main/serve.ts'), '--no-open', '--workers', '1', '--threads', '1']
      const program = spawn(process.execPath, [...args, '--data-folder', data], { env })
      let out = ''
      program.stdout.on('data', (chunk) => (out += String(chunk)))
      await until('the address', () => /http:\S+\s/.test(out))
      return { program, url: /http:\S+/.exec(out)![0] }
    }
    const end = async ({ program }: { program: ChildProcess }): Promise<void> => {
      program.kill()
      await once(program, 'close')
    }
    const first = await start()
    const cookie = await cookieOf(first)
    const beside = await start()
    assert.notEqual(new URL(beside.url).port, new URL(first.url).port)
    await end(beside)
    await end(first)
    const again = await start()
    try {
      assert.equal(again.url, first.url)
      assert.equal((await get(again, '/', { cookie })).status, 200)
    } finally {
      await end(again)
    }
    const [kept] = readdirSync(folder).filter((name) => name.startsWith('browser-'))
    assert.equal(statSync(path.join(folder, kept!)).mode & 0o077, 0)
  },
)

test('nothing outside of the page is served', async (t) => {
  const server = await serve(t)
  for (const escape of [
    ...[
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/..%5cpackage.json',
      '/nothing.js',
    ],
    ...[
      '/.stamp',
      '/%2fetc%2fpasswd',
      '/assets',
      '/assets/',
      '/index.html%00.js',
      '/%E0%A4%A',
      '/index.html/',
    ],
  ])
    assert.equal((await get(server, escape)).status, 404, escape)
  const address = pathOf(server.url)
  for (const host of ['example.org', 'localhost', '127.0.0.1', `example.org:${new URL(server.url).port}`])
    assert.equal((await get(server, address, { host })).status, 403, host)
  assert.equal((await get(server, address, {}, 'POST')).status, 405)
})

test('a socket needs the cookie, the page’s own origin and its own name', async (t) => {
  const server = await serve(t)
  const { host, origin, search } = new URL(server.url)
  const cookie = await cookieOf(server)
  const outcome = (headers: Record<string, string>, target = '/socket'): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://${host}${target}`, { headers })
      socket.on('open', () => {
        socket.close()
        resolve('open')
      })
      socket.on('error', (error) => resolve(error.message))
    })
  assert.equal(await outcome({ cookie, origin }), 'open')
  assert.equal(await outcome({ cookie }), 'open')
  assert.match(await outcome({ origin }), /403/)
  assert.match(await outcome({ origin }, `/socket${search}`), /403/)
  assert.match(await outcome({ cookie: 'normforge=guess', origin }), /403/)
  for (const foreign of ['http://example.org', 'null', 'http://127.0.0.1:1', origin.replace('http', 'https')])
    assert.match(await outcome({ cookie, origin: foreign }), /403/, foreign)
  assert.match(await outcome({ cookie, origin, host: `example.org:${new URL(origin).port}` }), /403/)
  assert.match(await outcome({ cookie, origin }, '/other'), /403/)
})

test('a socket answers requests and resumes its subscription', async (t) => {
  const server = await serve(t)
  const first = await openPage(server)
  first.send({ subscribe: { since: 0 } })
  first.send({ id: 9, name: 'searches.create', argument: { name: 'by wire', config: shortSearch() } })
  const stored = ({ frames }: Page) =>
    frames
      .flatMap(({ events }) => events ?? [])
      .flatMap((event) => (event.kind === 'workers' ? [] : [event.seq]))
  await until('the reply', () => first.frames.some(({ id, ok }) => id === 9 && ok === true))
  await until('events', () => stored(first).length > 5)
  first.socket.terminate()

  const since = stored(first).at(-1)!
  const second = await openPage(server)
  second.send({ subscribe: { since } })
  await until('later events', () => stored(second).length > 0)
  assert.ok(stored(second).every((seq) => seq > since))

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
