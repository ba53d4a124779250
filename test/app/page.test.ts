/** The page in a real browser on a made-up store and the stand-in evaluator: what each view shows is what is stored. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer, type Server } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { keyOf } from '../../main/store/searches.ts'
import { candidatePage } from '../../main/store/reading.ts'
import { openStore } from '../../main/store/store.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { CandidatePage } from '../../shared/contract.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { openBrowser } from './browser.ts'
import { seedStore } from './seed.ts'

const CANDIDATES = 900

type Stand = { readonly page: Page; readonly server: Server; readonly folder: string; readonly id: string }

/** A page that is open on a store with one finished search; whatever it complained about fails the test. */
const stand = async (t: TestContext): Promise<Stand | null> => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return (t.skip('the page is not built'), null)
  const browser = await openBrowser(t)
  if (!browser) return null
  const folder = dataFolder()
  const { id } = seedStore(folder, { candidates: CANDIDATES, seed: 5 })
  const server = await startServer({ dataFolder: folder, workers: 1, evaluator: STAND_IN })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(20_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  t.after(() => assert.deepEqual(problems, [], 'the page complained'))
  return { page, server, folder, id }
}

const stored = (folder: string, id: string, text: string): CandidatePage => {
  const db = openStore(folder)
  try {
    const page = { statuses: null, text, sort: 'average', descending: true, offset: 0, limit: 500 } as const
    return candidatePage(db, keyOf(db, id), page)
  } finally {
    db.close()
  }
}

const row = (page: Page, index: number) =>
  page.getByTestId('candidates-table').locator(`[role=row][aria-rowindex="${index}"]`)

test('the table of candidates shows the stored rows, of which only those in sight are made', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server, folder, id } = now
  const best = stored(folder, id, '').rows

  await page.goto(`${server.url}#/search/${id}/candidates`)
  for (const index of [1, 2, 7])
    await row(page, index)
      .getByText(best[index - 1]!.formula)
      .waitFor()
  const made = await page.getByTestId('candidates-table').locator('[role=row]').count()
  assert.ok(made < 80, `${made} rows are in the page`)

  // Far down, the rows there are fetched.
  await page.getByTestId('candidates-table').evaluate((table) => (table.scrollTop = 400 * 32))
  await row(page, 402).getByText(best[401]!.formula).first().waitFor()
})

test('arrows pick, Enter opens, Back returns to the same place', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server, folder, id } = now
  const best = stored(folder, id, '').rows

  await page.goto(`${server.url}#/search/${id}/candidates`)
  await row(page, 3).waitFor()
  await page.getByTestId('candidates-table').focus()
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown')
  const picked = page.getByTestId('candidates-table').locator('[aria-selected=true]')
  const number = Number(await picked.locator('[role=gridcell]').first().innerText())
  assert.equal(number, best[Number(await picked.getAttribute('aria-rowindex')) - 1]!.number)
  await page.getByRole('complementary').getByText(`Layer #${number}`).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(new RegExp(`/layer/${number}$`))
  await page.goBack()
  await picked.waitFor()
  assert.equal(Number(await picked.locator('[role=gridcell]').first().innerText()), number)
})

test('a filter narrows in the store, a wrong one says why, and the export holds what passed', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server, folder, id } = now
  const text = 'acc>0.6 op:sigmoid'
  const { total } = stored(folder, id, text)
  assert.ok(total > 0 && total < CANDIDATES)

  await page.goto(`${server.url}#/search/${id}/candidates`)
  await row(page, 1).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type(text)
  await page.getByText(`Showing ${total} of ${CANDIDATES}`).waitFor()
  assert.match(page.url(), /filter=acc%3E0\.6/, 'the filter is in the address')

  await page.getByLabel('Export the list').click()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByText(/^CSV/).click()])
  const lines = readFileSync(await file.path(), 'utf8')
    .trimEnd()
    .split('\n')
  assert.equal(lines.length, 1 + total)

  await page.getByTestId('filter').fill('acc>much')
  await page.getByText(/needs a number, got "much"/).waitFor()
})

test('a new search checks its numbers where they stand, and starts with exactly what was set', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server, id } = now
  const before = (await summaries(server)).find(({ search }) => search.id === id)!

  await page.goto(`${server.url}#/new?from=${id}`)
  await page.getByText('All numbers').click()
  const steps = page.getByLabel('Steps', { exact: true })
  await steps.fill('1.5')
  await page.getByText('Steps needs a whole number.').waitFor()
  assert.ok(await page.getByTestId('new-start').isDisabled())
  await steps.fill('150')
  await page.getByLabel('Stop after').first().fill('6')
  await page.getByTestId('new-name').fill('Set by hand')
  await page.getByTestId('new-start').click()
  await page.waitForURL(/\/live/)

  const made = (await summaries(server)).find(({ search }) => search.name === 'Set by hand')!
  const { config } = before.search
  assert.deepEqual(made.search.config, {
    ...config,
    training: { ...config.training, steps: 150 },
    evolution: { ...config.evolution, maxTrained: 6 },
  })
  await page.getByTestId('search-state').getByText('Done').waitFor({ timeout: 60_000 })
})

test('a running search is paused, given a layer by formula, and resumed', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server } = now
  await page.goto(server.url)
  await page.getByTestId('start-demo').click()
  await page.getByTestId('pause').click()
  await page.getByTestId('search-state').getByText('Paused').waitFor()

  await page.getByTestId('insert').click()
  await page.getByLabel(/^Formula/).fill('x * sigmoid(')
  await page.getByText(/formula: needed/).waitFor()
  assert.ok(await page.getByTestId('insert-now').isDisabled())
  await page.getByLabel(/^Formula/).fill('tanh(x) / rms_hwc(x)')
  await page.getByTestId('insert-now').click()
  const said = await page.getByText(/Inserted as #\d+/).innerText()
  const number = Number(/#(\d+)/.exec(said)![1])

  await page.getByTestId('resume').click()
  await page.getByTestId('search-state').getByText('Running').waitFor()
  await page.getByTestId('stop').click()
  await page.getByTestId('search-state').getByText('Stopped').waitFor()
  const id = new URL(page.url()).hash.split('/')[2]!
  await page.goto(`${server.url}#/search/${id}/candidates?filter=origin:imported`)
  await row(page, 1).getByText('tanh(x) / rms_hwc(x)').waitFor()
  assert.equal(Number(await row(page, 1).locator('[role=gridcell]').first().innerText()), number)
})

test('the palette finds a layer by its number, and the theme stays chosen', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server, id } = now
  await page.goto(`${server.url}#/search/${id}/live`)
  await page.getByTestId('funnel-scored').waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('#42')
  await page.getByRole('option', { name: 'Open layer #42' }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(new RegExp(`/search/${id}/layer/42$`))

  await page.getByLabel('Theme').click()
  await page.getByRole('button', { name: 'High contrast' }).click()
  await page.reload()
  await page.getByTestId('layer').waitFor()
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'contrast')
})

test('a lost connection is said aloud, and what was missed is shown once it is back', async (t) => {
  const now = await stand(t)
  if (!now) return
  const { page, server } = now
  let down = false
  let drop = async (): Promise<void> => undefined
  await page.routeWebSocket(/\/socket/, (socket) => {
    if (down) return void socket.close()
    socket.connectToServer()
    drop = () => socket.close()
  })
  await page.goto(server.url)
  await page.getByText('1 search, 0 running').waitFor()
  down = true
  await drop()
  await page
    .getByRole('alert')
    .getByText(/^Disconnected since/)
    .waitFor()
  assert.equal(await page.getByText('1 search, 0 running').count(), 1, 'what was known stays in sight')

  const name = 'Made meanwhile'
  const { config } = PRESETS.demo
  const made = await server.api.request({ id: 1, name: 'searches.create', argument: { name, config } })
  assert.ok(made.ok)
  down = false
  await page.getByRole('link', { name }).first().waitFor()
  assert.equal(await page.getByText(/^Disconnected since/).count(), 0)
})

type Summaries = { search: { id: string; name: string; config: { training: object; evolution: object } } }[]

const summaries = async (server: Server): Promise<Summaries> => {
  const reply = await server.api.request({ id: 1, name: 'searches.list', argument: {} })
  assert.ok(reply.ok)
  return reply.value as Summaries
}
