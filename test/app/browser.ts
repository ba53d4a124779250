/** A real Chromium for the tests of the page: found on this machine, or installed. */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { chromium, type Browser } from 'playwright-core'
import { installed } from '../../main/setup/installed.mjs'
import { root, runQuietly, say } from '../../main/setup/process.mjs'
import { installFromDebian } from '../debian.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const FIXED = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
const FLAGS = [
  ...['--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]
/** A failed installation is not tried again by the next test file, nor for an hour. */
const FAILED = path.join(root, '.out', 'chromium-failed')
const PATIENCE_MS = 3600_000

const isRoot = (): boolean => process.getuid?.() === 0
const executable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** NORMFORGE_CHROMIUM, else what is on PATH, else Playwright's own; null where there is none. */
export const findBrowser = (): string | null => {
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  const named = process.env.NORMFORGE_CHROMIUM
  return [...(named ? [named] : []), ...onPath, ...FIXED, chromium.executablePath()].find(executable) ?? null
}

/** Debian's package where that can be installed, else Playwright's download. */
const install = async (): Promise<void> => {
  await installFromDebian(() => (findBrowser() === null ? ['chromium'] : []), 'the tests of the page')
  if (findBrowser() !== null) return
  say("fetching Playwright's Chromium for the tests of the page")
  const playwright = path.join(root, 'node_modules/playwright-core/cli.js')
  await runQuietly(process.execPath, [playwright, 'install', 'chromium'], { timeout: 240_000 })
}

/** The browser to use, installed first where need be; or null. */
export const ensureBrowser = async (): Promise<string | null> => {
  const tried = (): boolean =>
    Date.now() - (statSync(FAILED, { throwIfNoEntry: false })?.mtimeMs ?? 0) < PATIENCE_MS
  if (findBrowser() === null && !tried())
    await installed.locked(path.join(root, '.out', 'chromium.lock'), async () => {
      if (findBrowser() !== null || tried()) return
      await install()
      if (findBrowser() !== null) return
      mkdirSync(path.dirname(FAILED), { recursive: true })
      writeFileSync(FAILED, '')
    })
  return findBrowser()
}

/** A browser with a fresh profile, closed when the test ends. Where there is none the test is skipped: null. */
export const openBrowser = async (t: TestContext): Promise<Browser | null> => {
  const executablePath = await ensureBrowser()
  if (executablePath === null) {
    t.skip('no Chromium on this machine, and none can be installed')
    return null
  }
  const args = isRoot() ? [...FLAGS, '--no-sandbox'] : FLAGS
  const browser = await chromium.launch({ executablePath, args, headless: true })
  t.after(() => browser.close())
  return browser
}
