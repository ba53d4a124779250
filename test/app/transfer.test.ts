/** Transfer in a real browser, on the stand-in evaluator: promoted by a press, run to the end, shown as it is stored. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer, type Server } from '../../main/serve.ts'
import { root } from '../../main/setup/process.mjs'
import { TRANSFER_TASKS, type TransferConfig } from '../../shared/transfer.ts'
import type { TransferDetail, TransferSummary } from '../../shared/transfer/contract.ts'
import { sampleText } from '../../renderer/transfer/comparison.ts'
import { dataFolder, until } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { openBrowser } from './browser.ts'
import { seedStore } from './seed.ts'

type Stand = { readonly page: Page; readonly server: Server; readonly id: string; readonly best: number }

/** The page's own presses go through; only the budget of what they ask for is made smaller on the way. */
const shortened = (config: TransferConfig): TransferConfig =>
  ({
    ...config,
    training: { ...config.training, steps: 40 },
    evaluateEvery: 20,
    checkpointEvery: 10,
    seeds: 2,
    baselines: ['BN-ReLU', 'EvoNorm-S0'],
  }) as TransferConfig

const shortenPromotions = (page: Page): Promise<void> =>
  page.routeWebSocket(/\/socket/, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as { name?: string; argument?: { config: TransferConfig } }
      if (frame.name === 'transfers.promote') frame.argument!.config = shortened(frame.argument!.config)
      server.send(JSON.stringify(frame))
    })
  })

/** `milliseconds`: how long the stand-in takes for a run; `short`: with the smaller budget. */
const stand = async (t: TestContext, milliseconds: number, short = false): Promise<Stand | null> => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return (t.skip('the page is not built'), null)
  const browser = await openBrowser(t)
  if (!browser) return null
  const folder = dataFolder(t)
  const { id } = seedStore(folder, { candidates: 120, seed: 5 })
  process.env['NORMFORGE_STANDIN_MS'] = String(milliseconds)
  t.after(() => delete process.env['NORMFORGE_STANDIN_MS'])
  const server = await startServer({ dataFolder: folder, workers: 2, evaluator: STAND_IN })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(20_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  t.after(() => assert.deepEqual(problems, [], 'the page complained'))
  if (short) await shortenPromotions(page)
  const { best } = await ask<{ best: { number: number } }>(server, 'searches.get', { id })
  return { page, server, id, best: best.number }
}

const ask = async <T>(server: Server, name: string, argument: unknown): Promise<T> => {
  const reply = await server.api.request({ id: 1, name, argument })
  assert.ok(reply.ok, reply.ok ? '' : reply.message)
  return reply.value as T
}
const list = (server: Server): Promise<TransferSummary[]> => ask(server, 'transfers.list', {})

test('one press puts a layer to both tasks; their pages show the stored numbers and pictures', async (t) => {
  const now = await stand(t, 0, true)
  if (!now) return
  const { page, server, id, best } = now
  await page.goto(`${server.url}#/search/${id}/layer/${best}`)
  await page.getByTestId('promote').click()
  await page.getByText(/is in line for instance segmentation and image synthesis/).waitFor()
  await until('both promotions to end', async () => {
    const all = await list(server)
    return all.length === 2 && all.every(({ promotion }) => promotion.state === 'done')
  })
  // The badge knows without a reload.
  await page.getByTestId('promoted').getByText('Transferred').waitFor()

  for (const { promotion } of await list(server)) {
    const { task } = promotion.config
    await page.goto(`${server.url}#/transfer/${promotion.id}`)
    await page.locator('[data-testid=promotion][data-state=done]').waitFor()
    const detail = await ask<TransferDetail>(server, 'transfers.get', { id: promotion.id })
    assert.equal(detail.summary.comparison.length, 3, 'the layer and two baselines')
    await sameTable(page, detail)
    for (const sentence of await page.getByTestId('scaled-down').locator('dd').allInnerTexts())
      assert.match(sentence, /paper: /)

    // Pictures: the newest of the first seed for each layer, byte for byte; the slider leads to the first.
    await samePictures(page, server, detail, 40)
    await page.getByTestId('picture-step').focus()
    await page.keyboard.press('Home')
    await samePictures(page, server, detail, 20)
    await page.getByTestId('transfer-measures').waitFor()
    assert.equal(await page.getByTestId('transfer-runs').locator('[data-state=done]').count(), 6)
    assert.equal(await page.getByText(TRANSFER_TASKS[task].label).first().isVisible(), true)
  }
})

/** Every figure of the comparison is the stored one, and the best of each column is named. */
const sameTable = async (page: Page, { summary }: TransferDetail): Promise<void> => {
  const measures = Object.entries(TRANSFER_TASKS[summary.promotion.config.task].measures)
  for (const row of summary.comparison)
    for (const [name, measure] of measures) {
      const cell = page.locator(`[data-layer="${row.label}"] [data-measure=${name}]`)
      const text = await cell.innerText()
      assert.ok(text.includes(sampleText(row.measures[name]!, measure)), `${row.label} ${name}: "${text}"`)
      const means = summary.comparison.map((each) => each.measures[name]!.mean)
      const wanted = measure.better === 'higher' ? Math.max(...means) : Math.min(...means)
      assert.equal(text.includes('best'), row.measures[name]!.mean === wanted, `${row.label} ${name}`)
      const verdict = row.against[name]?.verdict
      if (verdict) assert.match(text, verdict === 'noise' ? /within noise/ : new RegExp(verdict))
    }
}

const samePictures = async (
  page: Page,
  server: Server,
  { runs, summary }: TransferDetail,
  step: number,
): Promise<void> => {
  const kind = summary.promotion.config.task === 'synthesis' ? 'sample' : 'overlay'
  const name = `${kind}-${step}.png`
  const shown = page.locator(`img[data-picture="${name}"]`)
  await shown.nth(summary.comparison.length - 1).waitFor()
  const addresses = await shown.evaluateAll((images) => images.map((image) => image.getAttribute('src')))
  const first = Math.min(...runs.map(({ run }) => run.seed))
  const stored = await Promise.all(
    summary.comparison.map(async ({ fingerprint }) => {
      const { run } = runs.find(({ run }) => run.fingerprint === fingerprint && run.seed === first)!
      const { base64 } = await ask<{ base64: string }>(server, 'transfers.picture', { run: run.key, name })
      return `data:image/png;base64,${base64}`
    }),
  )
  assert.deepEqual(addresses, stored)
}

test('P promotes the layer picked, Undo takes it back, P on one promoted opens its page', async (t) => {
  const now = await stand(t, 20_000)
  if (!now) return
  const { page, server, id, best } = now
  await page.goto(`${server.url}#/search/${id}/candidates?layer=${best}`)
  await page.getByTestId('promote').waitFor()
  await page.keyboard.press('p')
  await page.getByRole('button', { name: 'Undo' }).click()
  await until('nothing to be promoted', async () => (await list(server)).length === 0)
  await page.getByTestId('promoted').first().waitFor({ state: 'detached' })

  await page.keyboard.press('p')
  await page.getByText(/is in line for/).waitFor()
  const ids = (await list(server)).map(({ promotion }) => promotion.id)
  assert.equal(ids.length, 2)
  // It is known by its fingerprint in whichever view, and its row says so.
  await page.getByTestId('candidates-table').getByTestId('promoted').first().waitFor()
  await page.goto(`${server.url}#/search/${id}/lineage?layer=${best}`)
  await page.getByTestId('layer-card').getByTestId('promoted').waitFor()
  await page.getByTestId('promote').getByText('Open transfer').waitFor()
  await page.keyboard.press('p')
  await page.waitForURL((url) => ids.some((one) => url.hash === `#/transfer/${one}`))
  assert.equal((await list(server)).length, 2, 'nothing is promoted twice')
})

test('the queue is live: what runs can be paused, resumed and cancelled', async (t) => {
  const now = await stand(t, 20_000)
  if (!now) return
  const { page, server } = now
  await page.goto(`${server.url}#/transfer`)
  await page.getByText('Nothing has been promoted yet').waitFor()
  await page.getByTestId('promote-other').click()
  await page.getByRole('button', { name: 'EvoNorm-B1', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Segmentation' }).click()
  await page.getByTestId('promote-now').click()
  const row = page.getByTestId('promotion-row')
  await row.getByText('Running', { exact: true }).waitFor()
  const [{ promotion }] = (await list(server)) as [TransferSummary]
  assert.equal(promotion.layer.label, 'EvoNorm-B1')
  await row.getByText('EvoNorm-B1').click()
  await page.waitForURL(new RegExp(`#/transfer/${promotion.id}$`))
  await page.getByTestId('transfer-progress').waitFor()
  for (const [action, state] of [
    ['pause', 'paused'],
    ['resume', 'running'],
    ['cancel', 'cancelled'],
  ] as const) {
    await page.getByTestId(`transfer-${action}`).click()
    await page.locator(`[data-testid=promotion][data-state=${state}]`).waitFor()
    const [{ promotion: stored }] = (await list(server)) as [TransferSummary]
    assert.equal(stored.state, state)
  }
})

test('a layer is looked at as code and saved', async (t) => {
  const now = await stand(t, 0)
  if (!now) return
  const { page, server, id, best } = now
  await page.goto(`${server.url}#/search/${id}/layer/${best}`)
  await page.getByLabel('Export the layer').click()
  await page.getByTestId('export-pytorch').click()
  assert.match(await page.getByTestId('export-code').innerText(), /class \w+\(nn\.Module\):/)
  await page.getByRole('dialog').getByRole('button', { name: 'TensorFlow.js' }).click()
  await page.getByTestId('export-code').getByText("from '@tensorflow/tfjs'").waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-save').click()])
  assert.match(file.suggestedFilename(), /\.js$/)
})
