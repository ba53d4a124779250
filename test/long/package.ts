/**
 * The package, used as on a machine that has nothing: laid out on the real Electron that is to be had, packed as a deb, unpacked
 * from it, and started by another user with an empty home, without Node, Python or a compiler on the path, without set-up's
 * cache, in Chromium's sandbox. Its demo has to train layers with what the package brought.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { makeDebian } from '../../main/setup/debian.ts'
import { layOut } from '../../main/setup/package.ts'
import { root } from '../../main/setup/process.mjs'
import { ensureApp } from '../electron/desktop.ts'
import { findElectron, openDisplay } from '../electron/real.ts'
import { dataFolder, until } from '../main/stand-in-app.ts'

const OTHER = 65534
const MEBIBYTES = 2 ** 20

/** Evaluates in the window's page, by the DevTools protocol: the fuses leave no other way in. */
const openPage = async (port: string) => {
  const pages = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(pages.find(({ type }) => type === 'page')!.webSocketDebuggerUrl)
  await once(socket, 'open')
  let id = 0
  return async (expression: string): Promise<unknown> => {
    const sent = ++id
    socket.send(
      JSON.stringify({ id: sent, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }),
    )
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer]
      const told = JSON.parse(String(data)) as { id?: number; result?: { result?: { value?: unknown } } }
      if (told.id === sent) return told.result?.result?.value
    }
  }
}

const filesIn = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))

test('a deb, unpacked where there is nothing else, runs the demo as another user', async (t) => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return t.skip('needs Linux, and root to be another user')
  const electron = await findElectron(t)
  if (!electron) return
  const folder = dataFolder()
  const built = await layOut({
    electron: { folder: path.dirname(electron.binary), binary: path.basename(electron.binary) },
    app: await ensureApp(electron),
    out: path.join(folder, 'normforge'),
  })
  const deb = await makeDebian(built, folder)
  fs.rmSync(built, { recursive: true })
  const installed = path.join(folder, 'installed')
  assert.equal(spawnSync('dpkg-deb', ['-x', deb, installed]).status, 0)
  t.diagnostic(`deb: ${Math.ceil(fs.statSync(deb).size / MEBIBYTES)} MiB`)
  const place = path.join(installed, 'opt/NormForge')

  const archive = fs.statSync(path.join(place, 'resources/app.asar')).size
  t.diagnostic(`archive of the window: ${(archive / MEBIBYTES).toFixed(1)} MiB`)
  assert.ok(archive < 15 * MEBIBYTES)
  const files = filesIn(place)
  assert.deepEqual(
    files.filter((file) => file.endsWith('.map')),
    [],
    'no source maps',
  )
  for (const file of files)
    if (fs.lstatSync(file).isSymbolicLink()) {
      const leads = path.resolve(path.dirname(file), fs.readlinkSync(file))
      assert.ok(!path.isAbsolute(fs.readlinkSync(file)) && leads.startsWith(place), `${file} stays inside`)
    }
  assert.equal(fs.statSync(path.join(place, 'chrome-sandbox')).mode & 0o7777, 0o4755)
  for (const file of [
    'usr/share/applications/normforge.desktop',
    'etc/apparmor.d/normforge',
    'usr/share/doc/normforge/copyright',
  ])
    assert.ok(fs.existsSync(path.join(installed, file)), file)
  assert.match(
    fs.readFileSync(path.join(place, 'resources/host/LICENSES.txt'), 'utf8'),
    /@tensorflow\/tfjs-core/,
  )
  for (const text of ['main.cjs', 'host.json'])
    assert.ok(
      !fs.readFileSync(path.join(place, 'resources/app.asar'), 'latin1').includes(`${root}/main`),
      text,
    )

  const home = path.join(folder, 'home')
  fs.mkdirSync(home)
  fs.chownSync(home, OTHER, OTHER)
  fs.chmodSync(folder, 0o755)
  const user = ['--reuid', String(OTHER), '--regid', String(OTHER), '--clear-groups']
  const begun = performance.now()
  const program = spawn(
    '/usr/bin/setpriv',
    [...user, path.join(place, 'normforge'), '--disable-gpu', '--remote-debugging-port=0'],
    {
      env: { ...(await openDisplay(t)), HOME: home, PATH: '/nonexistent', LANG: 'C.UTF-8' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  t.after(() => program.kill('SIGKILL'))
  let words = ''
  program.stderr.on('data', (chunk) => (words += String(chunk)))
  const port = (): string | undefined => /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(words)?.[1]
  await until('the window', () => port() !== undefined, 30)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const evaluate = await openPage(port()!)
  const find = (id: string) => `document.querySelector('[data-testid="${id}"]')`
  await until('the first frame', async () => (await evaluate(`Boolean(${find('start-demo')})`)) === true, 30)
  t.diagnostic(`first frame of the home view: ${Math.round(performance.now() - begun)} ms after the start`)
  await evaluate(`${find('start-demo')}.click()`)
  await until(
    'a trained layer',
    async () => Number(await evaluate(`${find('count-scored')}?.innerText`)) > 0,
    180,
  ).catch((error: Error) => assert.fail(`${error.message}; it said: ${words.slice(-2000)}`))
  assert.ok(fs.existsSync(path.join(home, '.local/share/normforge/searches.sqlite')))
  assert.ok(!words.includes('going without kernels'), words)
  program.kill('SIGTERM')
  assert.deepEqual(await once(program, 'exit'), [0, null])
})
