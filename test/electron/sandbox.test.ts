/** The desktop window as a user who is not root, in Chromium's sandbox: root has none, so that the other tests go without. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { _electron } from 'playwright-core'
import { dataFolder } from '../main/stand-in-app.ts'
import { commandOf, inWindow } from './desktop.ts'
import { processesBelow } from './processes.ts'
import { findElectron, openDisplay, type Electron } from './real.ts'

/** "nobody", who can read what everybody can. */
const OTHER = 65534

const as = (user: number, ...command: string[]) =>
  spawnSync('setpriv', ['--reuid', String(user), '--regid', String(user), '--clear-groups', ...command])

/** Electron's files, and Node's, where another user reaches them: links to the same bytes where the disk can. */
const shared = (folder: string, { binary }: Electron): { binary: string; node: string } => {
  const copy = (from: string, to: string): void => {
    if (spawnSync('cp', ['-al', from, to]).status !== 0) spawnSync('cp', ['-a', from, to])
  }
  const electron = path.join(folder, 'electron')
  copy(path.dirname(binary), electron)
  const node = path.join(folder, 'node')
  copy(fs.realpathSync(process.execPath), node)
  // A copy of its own, since what it is linked to keeps its rights.
  const helper = path.join(electron, 'chrome-sandbox')
  const bytes = fs.readFileSync(helper)
  fs.rmSync(helper)
  fs.writeFileSync(helper, bytes)
  fs.chmodSync(helper, 0o4755)
  return { binary: path.join(electron, path.basename(binary)), node }
}

const obstacle = (): string | false => {
  if (process.platform !== 'linux') return 'only Linux has this sandbox'
  if (process.getuid?.() !== 0) return 'needs root, to be another user; the other tests ran sandboxed already'
  return as(OTHER, 'true').status === 0 ? false : 'setpriv can’t make another user here'
}

test(
  'as another user the page runs in the sandbox, and speaks with its host',
  { skip: obstacle(), timeout: 180_000 },
  async (t: TestContext) => {
    const electron = await findElectron(t)
    if (!electron) return
    const folder = dataFolder()
    const { binary, node } = shared(folder, electron)
    const [data, home] = ['data', 'home'].map((name) => path.join(folder, name)) as [string, string]
    const { args, env } = await commandOf({ ...electron, binary }, { data, home, env: await openDisplay(t) })
    const app = path.join(folder, 'app')
    fs.cpSync(
      args.find((argument) => argument.includes('desktop'))!,
      app,
      { recursive: true, dereference: true },
    )
    const place = JSON.parse(fs.readFileSync(path.join(app, 'host.json'), 'utf8')) as { program: string }
    fs.writeFileSync(path.join(app, 'host.json'), JSON.stringify({ ...place, node }))
    for (const own of [data, home]) fs.mkdirSync(own)
    spawnSync('chmod', ['-R', 'go+rX', folder])
    spawnSync('chown', ['-R', `${OTHER}:${OTHER}`, data, home])
    if (as(OTHER, 'test', '-r', place.program).status !== 0)
      return t.skip(`another user can't read ${path.dirname(place.program)}`)

    const starter = path.join(folder, 'start.sh')
    const drop = `setpriv --reuid ${OTHER} --regid ${OTHER} --clear-groups`
    fs.writeFileSync(starter, `#!/bin/sh\nexec ${drop} ${binary} "$@"\n`, { mode: 0o755 })
    const other: Record<string, string> = { HOME: home, TMPDIR: home, NORMFORGE_CACHE: home }
    for (const [name, value] of Object.entries(env)) if (value !== undefined) other[name] ??= value
    const started = await _electron.launch({
      executablePath: starter,
      args: ['--disable-gpu', app, '--data-folder', data, '--workers', '1', '--threads', '1'],
      env: other,
      chromiumSandbox: true,
    })
    t.after(() => started.close().catch(() => undefined))
    const page = await started.firstWindow()
    await page.getByTestId('start-demo').waitFor()
    const renderer = await inWindow(
      started,
      ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.getOSProcessId(),
      null,
    )
    // In a namespace of its own, a process has another number than outside of it; its filters of system calls are mode 2.
    const candidates = processesBelow(started.process().pid!).map((pid) => {
      const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
      const field = (name: string): string[] =>
        (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/)
      return {
        pid,
        type: fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        seccomp: field('Seccomp')[0],
        uid: field('Uid')[0],
        namespaces: field('NSpid').length,
      }
    })
    const pages = candidates.filter(({ type }) => type.includes('--type=renderer'))
    assert.ok(
      pages.some(({ pid }) => pid === renderer),
      JSON.stringify({ renderer, pages }),
    )
    for (const { seccomp, uid, namespaces } of pages)
      assert.deepEqual(
        { seccomp, uid, apart: namespaces > 1 },
        { seccomp: '2', uid: String(OTHER), apart: true },
      )
    await started.close()
  },
)
