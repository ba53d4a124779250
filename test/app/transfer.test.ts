/** Transfer in a real browser: promoted by a press, run to the end, shown as it is stored. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer, type Server } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { TRANSFER_TASKS, type TransferConfig } from '../../shared/transfer.ts'
import type { CandidatePage } from '../../shared/contract.ts'
import type { TransferDetail, TransferSummary } from '../../shared/transfer/contract.ts'
import { sampleText, valueText } from '../../renderer/transfer/comparison.ts'
import { stepsOf } from '../../renderer/transfer/pictures.ts'
import { dataFolder, until } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { openBrowser } from './browser.ts'
import { seedStore } from './seed.ts'

type Stand = {
  readonly page: Page
  readonly server: Server
  readonly id: string
  /** A layer that evolved. */
  readonly best: number
}
type Shorten = (config: TransferConfig) => unknown
type Options = {
  /** Milliseconds that a run takes the stand-in; null: the engine trains. */
  readonly milliseconds: number | null
  readonly shorten?: Shorten
}

/** Tells layers that train in earnest, whatever their made-up scores: x divided by its spread, as norms do. */
const NORMALISED = /\/ std_(nhw|hwc?)\(x\) \* v1 \+ v0/

const BASELINES = ['BN-ReLU', 'EvoNorm-S0']

/** A config for the stand-in, of few steps. */
const fewSteps: Shorten = (config) => ({
  ...config,
  training: { ...config.training, steps: 40 },
  ...(config.task === 'verification' ? {} : { evaluateEvery: 20 }),
  checkpointEvery: 10,
  seeds: 2,
  baselines: BASELINES,
})

/** Everything that there is, as small as it gets. */
const tiny: Shorten = (config) => ({
  ...config,
  data: { ...config.data, trainingImages: 64, validationImages: 20 },
  network:
    config.task !== 'segmentation'
      ? { channels: 4, latent: 16, sharedEmbedding: 8, attention: 0 }
      : { ...config.network, width: 0.125, pyramidChannels: 16, boxChannels: 32, maskChannels: 16 },
  training: { ...config.training, steps: 2, batchSize: config.task === 'synthesis' ? 8 : 1, groups: 4 },
  ...(config.task === 'synthesis' ? { sampling: { samples: 32, truncation: 0 } } : {}),
  evaluateEvery: 1,
  checkpointEvery: 1,
  seeds: 1,
  baselines: BASELINES,
})

/** The page's own presses go through; only the budget of what they ask for is made smaller on the way. */
const shortenPromotions = (page: Page, shorten: Shorten): Promise<void> =>
  page.routeWebSocket(/\/socket/, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as { name?: string; argument?: { config: unknown } }
      if (frame.name === 'transfers.promote')
        frame.argument!.config = shorten(frame.argument!.config as TransferConfig)
      server.send(JSON.stringify(frame))
    })
  })

const stand = async (t: TestContext, { milliseconds, shorten }: Options): Promise<Stand | null> => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return (t.skip('the page is not built'), null)
  const browser = await openBrowser(t)
  if (!browser) return null
  const folder = dataFolder()
  const { id } = seedStore(folder, { candidates: 120, seed: 2 })
  process.env['NORMFORGE_STANDIN_MS'] = String(milliseconds ?? 0)
  t.after(() => delete process.env['NORMFORGE_STANDIN_MS'])
  const evaluator = milliseconds === null ? undefined : STAND_IN
  const server = await startServer({ dataFolder: folder, workers: 2, evaluator })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(20_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  t.after(() => assert.deepEqual(problems, [], 'the page complained'))
  if (shorten) await shortenPromotions(page, shorten)
  const list = { statuses: ['scored'], text: '', sort: 'average', descending: true, offset: 0, limit: 100 }
  const { rows } = await ask<CandidatePage>(server, 'candidates.list', { id, ...list })
  const best = rows.find(({ origin, formula }) => origin === 'mutation' && NORMALISED.test(formula))
  assert.ok(best)
  return { page, server, id, best: best.number }
}

const ask = async <T>(server: Server, name: string, argument: unknown): Promise<T> => {
  const reply = await server.api.request({ id: 1, name, argument })
  assert.ok(reply.ok, reply.ok ? '' : reply.message)
  return reply.value as T
}
const list = (server: Server): Promise<TransferSummary[]> => ask(server, 'transfers.list', {})

test('one press puts a layer to both tasks, trained on Shapes; the pages show what is stored', async (t) => {
  await promoteAndLook(t, { milliseconds: null, shorten: tiny })
})

test('with several seeds the pages show spreads, and what is within them', async (t) => {
  await promoteAndLook(t, { milliseconds: 0, shorten: fewSteps })
})

test('one press verifies a layer; its page says what it came to beside each baseline', async (t) => {
  const now = await stand(t, { milliseconds: 0, shorten: fewSteps })
  if (!now) return
  const { page, server, id, best } = now
  await page.goto(`${server.url}#/search/${id}/layer/${best}`)
  await page.getByTestId('verify').click()
  await page.getByText(/is in line for verification/).waitFor()
  await page.locator('[data-testid=verification][data-state=done]').waitFor()
  const [summary] = await list(server)
  const { config } = summary!.promotion
  assert.ok(config.task === 'verification' && config.data.testImages !== undefined)
  const table = page.getByTestId('verified')
  for (const row of summary!.comparison)
    for (const [name, measure] of Object.entries(TRANSFER_TASKS.verification.measures)) {
      const text = await table.locator(`[data-layer="${row.label}"] [data-measure=${name}]`).innerText()
      assert.ok(text.includes(sampleText(row.measures[name]!, measure)), `${row.label} ${name}: "${text}"`)
      if (row.role === 'baseline') assert.match(text, SAID[row.against[name]!.verdict])
    }
  await page.getByText('All of it').click()
  const detail = await ask<TransferDetail>(server, 'transfers.get', { id: summary!.promotion.id })
  const done = page.getByTestId('transfer-runs').locator('[data-state=done]')
  await done.nth(detail.runs.length - 1).waitFor()
  assert.equal(await done.count(), 2 * (1 + BASELINES.length))
})

const promoteAndLook = async (t: TestContext, options: Options): Promise<void> => {
  const now = await stand(t, options)
  if (!now) return
  const { page, server, id, best } = now
  await page.goto(`${server.url}#/search/${id}/layer/${best}`)
  await page.getByTestId('promote').click()
  await page.getByText(/is in line for instance segmentation and image synthesis/).waitFor()
  await until(
    'both promotions to end',
    async () => {
      const all = await list(server)
      for (const { promotion } of all) assert.notEqual(promotion.state, 'failed', promotion.failure ?? '')
      return all.length === 2 && all.every(({ promotion }) => promotion.state === 'done')
    },
    240,
  )
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
    const kind = task === 'synthesis' ? 'sample' : 'overlay'
    const steps = stepsOf([detail.runs[0]!.pictures], kind)
    assert.ok(steps.length > 1)
    await samePictures(page, server, detail, `${kind}-${steps.at(-1)}.png`)
    await page.getByTestId('picture-step').focus()
    await page.keyboard.press('Home')
    await samePictures(page, server, detail, `${kind}-${steps[0]}.png`)
    await page.getByTestId('transfer-measures').waitFor()
    const done = page.getByTestId('transfer-runs').locator('[data-state=done]')
    assert.equal(await done.count(), detail.runs.length)
  }
}

const SAID = { better: /better/, worse: /worse/, noise: /within noise/, open: /too few runs/ }

/** Every figure of the comparison is the stored one, and the best of each column is named; real images stand below. */
const sameTable = async (page: Page, { summary }: TransferDetail): Promise<void> => {
  const measures = Object.entries(TRANSFER_TASKS[summary.promotion.config.task].measures)
  for (const row of summary.comparison)
    for (const [name, measure] of measures) {
      const text = await page.locator(`[data-layer="${row.label}"] [data-measure=${name}]`).innerText()
      const sample = row.measures[name]
      // No object of that size, say.
      if (!sample) {
        assert.equal(text, '–')
        continue
      }
      assert.ok(text.includes(sampleText(sample, measure)), `${row.label} ${name}: "${text}"`)
      const means = summary.comparison.flatMap((each) => each.measures[name]?.mean ?? [])
      const wanted = measure.better === 'higher' ? Math.max(...means) : Math.min(...means)
      assert.equal(text.includes('best'), sample.mean === wanted, `${row.label} ${name}`)
      const verdict = row.against[name]?.verdict
      if (verdict) assert.match(text, SAID[verdict])
    }
  const yardstick = measures.flatMap(([name, measure]) =>
    measure.real ? [valueText(summary.real[name]!, measure)] : [],
  )
  assert.deepEqual(await page.getByTestId('real-images').locator('td').allInnerTexts(), yardstick)
}

const samePictures = async (
  page: Page,
  server: Server,
  { runs, summary }: TransferDetail,
  name: string,
): Promise<void> => {
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
  for (const [i, { label }] of summary.comparison.entries())
    assert.ok(addresses[i] === stored[i], `${name} of ${label} is not the stored one`)
}

test('P promotes the layer picked, Undo takes it back, P on one promoted opens its page', async (t) => {
  const now = await stand(t, { milliseconds: 20_000 })
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
  const now = await stand(t, { milliseconds: 20_000 })
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
  const now = await stand(t, { milliseconds: 0 })
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
