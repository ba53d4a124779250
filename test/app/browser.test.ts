import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findBrowser, openBrowser } from './browser.ts'

test('a browser opens, runs a page and starts each time with a fresh profile', async (t) => {
  const browser = await openBrowser(t)
  if (!browser) return
  const page = await browser.newPage()
  await page.setContent('<p>1 + 2 = <output></output></p>')
  await page.locator('output').evaluate((output) => (output.textContent = String(1 + 2)))
  assert.equal(await page.locator('p').innerText(), '1 + 2 = 3')
  assert.deepEqual(await page.context().cookies(), [])
})

test('a browser named by the user comes first', () => {
  process.env.NORMFORGE_CHROMIUM = process.execPath
  assert.equal(findBrowser(), process.execPath)
})
