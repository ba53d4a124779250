/** The page for everybody: nothing serious by axe-core in any view, and no view wider than a narrow or enlarged window. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { startServer } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { openBrowser } from './browser.ts'
import { seedStore } from './seed.ts'

type Finding = { readonly id: string; readonly impact: string; readonly where: readonly string[] }

/** Runs in the page, where axe-core was put in. */
const FINDINGS = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({ id, impact, where: nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)) })))`
/** Pixels by which what is scrolled sideways is wider than the window. */
const OVERFLOW = `Math.max(0, ...[document.documentElement, document.querySelector('main')]
  .map((each) => each.scrollWidth - each.clientWidth))`

test('axe finds nothing serious in any view and theme, and no view overflows at 900 px or 200 %', async (t) => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return t.skip('the page is not built')
  const browser = await openBrowser(t)
  if (!browser) return
  const folder = dataFolder()
  const { id } = seedStore(folder, { candidates: 60, seed: 2 })
  const server = await startServer({ dataFolder: folder, workers: 1, evaluator: STAND_IN })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(server.url)
  await page.locator('td.name a').first().waitFor()
  // As the developer's tools would: the page's own policy allows no script from elsewhere.
  await page.evaluate(readFileSync(path.join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'))
  const found: string[] = []
  page.setDefaultTimeout(8000)
  const views = ['live', 'lineage', 'candidates', 'pareto', 'layer/20'].map((view) => `/search/${id}/${view}`)
  for (const address of ['/', '/new', '/transfer', '/settings', ...views]) {
    await page.evaluate(`location.hash = '#${address}'`)
    await page
      .locator('main h1')
      .first()
      .waitFor({ state: 'attached' })
      .catch(() => found.push(`${address} has no h1`))
    await page.waitForTimeout(300)
    for (const theme of address.includes('lineage') ? ['light', 'dark', 'contrast'] : ['light']) {
      await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
      // Colours change over a moment.
      await page.waitForTimeout(400)
      for (const { id: rule, where } of await page.evaluate<Finding[]>(FINDINGS))
        found.push(`${address} ${theme}: ${rule} at ${where.join(' and ')}`)
    }
    // 640 pixels is 1280 enlarged to 200 %.
    for (const width of [900, 640]) {
      await page.setViewportSize({ width, height: 800 })
      const overflow = await page.evaluate<number>(OVERFLOW)
      if (overflow > 0) found.push(`${address} overflows by ${overflow} px at ${width} px`)
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  }
  assert.deepEqual(found, [])
})
