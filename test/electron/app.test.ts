/** The real desktop app, where Electron's binary and a display are there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { _electron } from 'playwright-core'
import { electronBinary } from '../../main/setup/places.mjs'
import { root } from '../../main/setup/process.mjs'
import { dataFolder } from '../main/stand-in-app.ts'

const executablePath = electronBinary()
const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY)
const skip =
  executablePath === null
    ? "Electron's binary is not on this machine"
    : hasDisplay
      ? false
      : 'there is no display for a window'

test('the desktop app opens the workbench, sandboxed and at its own address', { skip }, async (t) => {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const app = await _electron.launch({
    executablePath: executablePath!,
    args: [...sandbox, root, '--data-folder', dataFolder(), '--workers', '1'],
  })
  t.after(() => app.close())
  const page = await app.firstWindow()
  await page.waitForSelector('#app > *')
  assert.equal(new URL(page.url()).protocol, 'app:')
  assert.equal(await page.evaluate(() => typeof (globalThis as { require?: unknown }).require), 'undefined')

  const info = await page.evaluate(
    "normforge.request({ id: 1, name: 'app.info', argument: {} }).then((reply) => reply.value.host)",
  )
  assert.equal(info, 'electron')
  assert.equal(await page.evaluate("window.open('https://example.org/')"), null)
  await page.evaluate("void (location.href = 'https://example.org/')")
  assert.equal(new URL(page.url()).protocol, 'app:')
  assert.equal(
    await page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')"),
    'refused',
  )
})
