/** The desktop window in a real Electron, with its host and workers: what somebody who sits before it does. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { DESKTOP } from '../../main/setup/page.ts'
import { root } from '../../main/setup/process.mjs'
import { digest, ensureApp, launch } from './desktop.ts'
import { findElectron, openDisplay } from './real.ts'

test('the desktop window opens the workbench at its own address, confined', async (t) => {
  const electron = await findElectron(t)
  if (!electron) return
  const { app, page, problems } = await launch(t, electron, { env: await openDisplay(t) })
  await page.getByTestId('start-demo').waitFor()
  const shipped = path.join(root, DESKTOP)
  for (const name of ['main.cjs', 'preload.cjs'])
    assert.equal(digest(path.join(await ensureApp(electron), name)), digest(path.join(shipped, name)), name)
  assert.equal(page.url(), 'app://normforge/')
  assert.equal(await page.evaluate('typeof require + typeof process + typeof module'), 'undefined'.repeat(3))
  assert.deepEqual(problems, [])
  assert.equal(await page.evaluate("window.open('https://example.org/')"), null)
  await page.evaluate("void (location.href = 'https://example.org/')")
  assert.equal(page.url(), 'app://normforge/')
  assert.equal(
    await page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')"),
    'refused',
  )
  await app.close()
})
