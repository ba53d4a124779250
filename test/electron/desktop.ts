/** Starts the desktop window for tests: the bundle that ships, in a real Electron, its host and workers beside it. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type * as Electron from 'electron'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { installed } from '../../main/setup/installed.mjs'
import { DESKTOP, ensureDesktop, hashOf } from '../../main/setup/page.ts'
import { root, runQuietly, say } from '../../main/setup/process.mjs'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import type { Electron as Found } from './real.ts'

const OLD = '.out/desktop-old'
const SHIMS = path.join(root, 'test/electron/old')

/** The page for the old Electron; the bundle and the preload are the same files as ever. */
const ensureOld = async (): Promise<string> => {
  const folder = path.join(root, OLD)
  await installed.locked(`${folder}.lock`, async () => {
    const hash = hashOf(['test/electron/old/vite.config.ts', 'renderer', 'shared', 'package-lock.json'])
    const stamp = path.join(folder, '.stamp')
    if (!fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== hash) {
      say('building the page for the old Electron')
      const vite = [path.join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn']
      const args = [...vite, '--config', path.join(SHIMS, 'vite.config.ts')]
      const { code, output } = await runQuietly(process.execPath, args, { cwd: root })
      if (code !== 0) throw new Error(`the page doesn't build for the old Electron:\n${output}`)
      fs.writeFileSync(stamp, hash)
    }
    for (const name of ['main.cjs', 'preload.cjs', 'host.json'])
      fs.copyFileSync(path.join(root, DESKTOP, name), path.join(folder, name))
    for (const name of ['shim.cjs', 'shim-preload.cjs'])
      fs.copyFileSync(path.join(SHIMS, name), path.join(folder, name))
    const told = JSON.parse(fs.readFileSync(path.join(root, DESKTOP, 'package.json'), 'utf8')) as object
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ ...told, main: 'shim.cjs' }))
  })
  return folder
}

/** The folder that Electron is started with. */
export const ensureApp = async ({ old }: Found): Promise<string> => {
  await ensureDesktop()
  return old ? ensureOld() : path.join(root, DESKTOP)
}

export const digest = (file: string): string =>
  createHash('sha256').update(fs.readFileSync(file)).digest('hex')

export type LaunchOptions = {
  /** Where searches are, and where the window keeps its own state; new ones unless they are given. */
  readonly data?: string
  readonly home?: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** The stand-in instead of the engine. */
  readonly standIn?: boolean
}
export type Desktop = {
  readonly app: ElectronApplication
  readonly page: Page
  readonly data: string
  readonly home: string
  /** What the page complained of. */
  readonly problems: string[]
}

/** Arguments and environment of a start: as root only without Chromium's sandbox. */
export const commandOf = async (
  electron: Found,
  { data = dataFolder(), home = dataFolder(), args = [], env = {}, standIn = true }: LaunchOptions,
) => {
  const unsandboxed = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const switches = ['--disable-gpu', '--disable-dev-shm-usage']
  return {
    data,
    home,
    args: [
      ...[...unsandboxed, ...switches, await ensureApp(electron), '--data-folder', data],
      ...['--workers', '1', '--threads', '1', ...args],
    ],
    env: {
      ...process.env,
      ...(standIn ? { NORMFORGE_EVALUATOR: STAND_IN } : {}),
      XDG_CONFIG_HOME: home,
      // Another Node's options end Electron.
      NODE_OPTIONS: '',
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      ...env,
    },
  }
}

export const launch = async (
  t: TestContext,
  electron: Found,
  options: LaunchOptions = {},
): Promise<Desktop> => {
  const { data, home, args, env } = await commandOf(electron, options)
  const app = await _electron.launch({
    executablePath: electron.binary,
    args,
    env: Object.fromEntries(
      Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
  })
  t.after(() => app.close().catch(() => undefined))
  const page = await app.firstWindow()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  return { app, page, data, home, problems }
}

type Main = typeof Electron

/** Runs a function in Electron's main process. */
export const inWindow = <A, R>(
  app: ElectronApplication,
  what: (electron: Main, argument: A) => R,
  argument: A,
): Promise<Awaited<R>> =>
  app.evaluate(what as (electron: Main, argument: unknown) => R, argument) as Promise<Awaited<R>>

/** Picks an item of the application's menu by its label. */
export const menu = (app: ElectronApplication, label: string): Promise<void> =>
  inWindow(
    app,
    ({ Menu }, label) => {
      const items = Menu.getApplicationMenu()!.items.flatMap((item) => item.submenu?.items ?? [])
      const item = items.find((item) => item.label.replaceAll('&', '') === label)
      if (!item) throw new Error(`no menu item "${label}"`)
      item.click()
    },
    label,
  )

type Answers = {
  /** The paths that the next dialog to open something gives. */
  readonly open?: readonly string[]
  /** The buttons that are pressed in the questions to come, one after the other. */
  readonly message?: readonly number[]
}

/** Answers dialogs from now on, which nobody could press in a test; what was asked so far, and how many windows there are. */
export const stubDialogs = (
  app: ElectronApplication,
  answers: Answers,
): Promise<{ asked: { message: string; detail?: string }[]; windows: number }> =>
  inWindow(
    app,
    ({ dialog, BrowserWindow }, { open, message }) => {
      const state = globalThis as { asked?: { message: string; detail?: string }[] }
      state.asked ??= []
      if (open)
        Object.assign(dialog, {
          showOpenDialog: () => Promise.resolve({ canceled: false, filePaths: open }),
        })
      if (message) {
        const left = [...message]
        Object.assign(dialog, {
          showMessageBox: (_window: unknown, options: { message: string; detail?: string }) => {
            state.asked!.push({
              message: options.message,
              ...(options.detail ? { detail: options.detail } : {}),
            })
            return Promise.resolve({ response: left.shift() ?? 0, checkboxChecked: true })
          },
        })
      }
      return { asked: state.asked, windows: BrowserWindow.getAllWindows().length }
    },
    answers,
  )
