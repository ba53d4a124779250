/** What a new user does first, in a real browser, on the real engine: one press, and layers evolve to the end. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { keyOf } from '../../main/store/searches.ts'
import { lineage } from '../../main/store/reading.ts'
import { openStore } from '../../main/store/store.ts'
import type { LineageNode } from '../../shared/contract.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { openBrowser } from './browser.ts'

/** The demo with a budget of seconds in all: every stage, in one small network. */
const shortened = (config: SearchConfig): SearchConfig => ({
  ...config,
  data: { ...config.data, trainingImages: 256, validationImages: 100 },
  architectures: [{ name: 'resnet', width: 0.0625, depth: 0.2 }],
  training: { ...config.training, steps: 12, batchSize: 16, warmupSteps: 2 },
  rejection: {
    quality: { steps: 6, minAccuracy: 0.05 },
    stability: { ...config.rejection.stability, steps: 2, batchSize: 4 },
  },
  evolution: {
    ...config.evolution,
    maxTrained: 8,
    maxSeconds: 0,
    initialSize: 6,
    population: 6,
    rerank: { count: 1, steps: 12 },
  },
  baselines: ['BN-ReLU', 'EvoNorm-S0'],
})

/** The page's own press goes through; only the budget in its request is made smaller on the way. */
const shortenSearches = (page: Page): Promise<void> =>
  page.routeWebSocket(/\/socket/, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as { name?: string; argument?: { config: SearchConfig } }
      if (frame.name === 'searches.create') frame.argument!.config = shortened(frame.argument!.config)
      server.send(JSON.stringify(frame))
    })
  })

/** Every candidate that is drawn as a mark, with the parent its link comes from. */
const drawnMarks = (page: Page): Promise<{ number: number; parent: number | null; kind: string }[]> =>
  page
    .getByTestId('lineage')
    .locator('[data-number]')
    .evaluateAll((marks) =>
      marks.map((mark) => ({
        number: Number(mark.getAttribute('data-number')),
        parent: mark.getAttribute('data-parent') === null ? null : Number(mark.getAttribute('data-parent')),
        kind: mark.getAttribute('data-kind')!,
      })),
    )

const byNumber = (a: { number: number }, b: { number: number }): number => a.number - b.number

test('one press runs the demo search to its end, and the lineage drawn is the lineage stored', async (t) => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return t.skip('the page is not built')
  const browser = await openBrowser(t)
  if (!browser) return
  const folder = dataFolder()
  const server = await startServer({ dataFolder: folder, workers: 2 })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  await shortenSearches(page)
  await page.goto(server.url)

  await page.getByTestId('start-demo').click()
  await page.getByTestId('progress').waitFor()
  await page.getByTestId('search-state').getByText('Done').waitFor({ timeout: 240_000 })

  const stored = storedLineage(folder)
  assert.ok(stored.some(({ role, status }) => role === 'baseline' && status === 'scored'))
  assert.ok(stored.some(({ parent }) => parent !== null))

  const scored = stored.filter(({ role, status }) => role === 'candidate' && status === 'scored')
  assert.equal(await page.getByTestId('count-scored').innerText(), String(scored.length))

  const id = new URL(page.url()).hash.split('/')[2]!
  await page.goto(`${server.url}#/search/${id}/lineage`)
  const drawing = page.getByTestId('lineage')
  await drawing.locator('[data-number]').first().waitFor()
  assert.equal(await drawing.getAttribute('data-nodes'), String(stored.length))

  // In the tree a mark stands for each scored layer and its ancestors; a link leads to each drawn child.
  const marks = (await drawnMarks(page)).sort(byNumber)
  const drawn = new Map(marks.map((mark) => [mark.number, mark]))
  assert.equal(drawn.size, marks.length, 'no candidate is drawn twice')
  for (const node of [...scored, ...stored.filter(({ role }) => role === 'baseline')])
    assert.ok(drawn.has(node.number), `candidate ${node.number} is drawn`)
  for (const mark of marks) assert.equal(mark.parent, stored[mark.number]!.parent)
  const links = await drawing.locator('[data-link]').evaluateAll((l) => l.map((e) => Number(e.dataset.link)))
  const children = scored.filter(({ parent }) => parent !== null).map(({ number }) => number)
  assert.deepEqual(
    children.filter((number) => !links.includes(number)),
    [],
  )

  // A press on a mark opens its card, and from there the layer with its curves.
  const best = scored.reduce((a, b) => (b.average! > a.average! ? b : a))
  const box = (await drawing.locator(`[data-number="${best.number}"]`).boundingBox())!
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
  await page.getByTestId('layer-card').waitFor()
  assert.equal(await page.getByTestId('layer-card').getAttribute('data-number'), String(best.number))
  await page.goto(`${server.url}#/search/${id}/layer/${best.number}`)
  await page.getByTestId('layer').getByTestId('layer-graph').first().waitFor()
  await page.getByTestId('curves-accuracy').waitFor()
  assert.deepEqual(problems, [])
})

const storedLineage = (folder: string): LineageNode[] => {
  const db = openStore(folder)
  try {
    const { id } = db.get('SELECT id FROM searches')!
    return lineage(db, keyOf(db, String(id)))
  } finally {
    db.close()
  }
}
