/** The lineage, a layer and the Pareto front in a real browser on a made-up store: what is drawn is what is stored. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { startServer } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { candidateDetail, candidatePage, lineage } from '../../main/store/reading.ts'
import { keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import type { CandidateDetail, LineageNode } from '../../shared/contract.ts'
import { formulaText } from '../../shared/formula.ts'
import { paretoFront } from '../../shared/pareto.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { openBrowser } from './browser.ts'
import { seedStore } from './seed.ts'

type Stand = {
  readonly page: Page
  readonly nodes: readonly LineageNode[]
  detail(number: number): CandidateDetail
  /** Numbers that a filter finds in the store. */
  found(text: string): number[]
  go(view: string): Promise<void>
}

const stand = async (t: TestContext, candidates: number): Promise<Stand | null> => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return (t.skip('the page is not built'), null)
  const browser = await openBrowser(t)
  if (!browser) return null
  const folder = dataFolder()
  const { id } = seedStore(folder, { candidates, seed: 2 })
  const db = openStore(folder)
  t.after(() => db.close())
  const key = keyOf(db, id)
  const server = await startServer({ dataFolder: folder, workers: 1, evaluator: STAND_IN })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  t.after(() => assert.deepEqual(problems, [], 'the page complained'))
  const listed = { statuses: null, sort: 'number', descending: false, offset: 0, limit: 500 } as const
  return {
    page,
    nodes: lineage(db, key),
    detail: (number) => candidateDetail(db, key, number)!,
    found: (text) => candidatePage(db, key, { ...listed, text }).rows.map((row) => row.number),
    go: async (view) => void (await page.goto(`${server.url}#/search/${id}/${view}`)),
  }
}

const marks = (drawing: Locator): Promise<{ number: number; parent: number | null; faded: boolean }[]> =>
  drawing.locator('[data-number]').evaluateAll((all) =>
    all.map((mark) => {
      const parent = mark.getAttribute('data-parent')
      return {
        number: Number(mark.getAttribute('data-number')),
        parent: parent === null ? null : Number(parent),
        faded: mark.classList.contains('faded'),
      }
    }),
  )
const numbers = (list: readonly { readonly number: number }[]): number[] =>
  list.map((each) => each.number).sort((a, b) => a - b)

test('the lineage draws every candidate once, picks with pointer and arrows, and marks what is sought', async (t) => {
  const now = await stand(t, 150)
  if (!now) return
  const { page, nodes } = now
  await now.go('lineage')
  const drawing = page.getByTestId('lineage')
  await drawing.locator('[data-number]').first().waitFor()

  const drawn = await marks(drawing)
  assert.deepEqual(numbers(drawn), numbers(nodes))
  const parents = new Map(nodes.map((node) => [node.number, node.parent]))
  for (const { number, parent } of drawn) assert.equal(parent, parents.get(number), `parent of ${number}`)
  assert.equal(await drawing.getAttribute('data-nodes'), String(nodes.length))

  const child = nodes.find((node) => node.status === 'scored' && node.parent !== null)!
  await drawing.locator(`[data-number="${child.number}"]`).click({ force: true })
  const card = page.getByTestId('layer-card')
  const formula = formulaText(now.detail(child.number).candidate.graph)
  await card.locator('[data-formula]').waitFor()
  assert.equal(await card.locator('[data-formula]').getAttribute('data-formula'), formula)
  assert.equal(await drawing.getAttribute('data-selected'), String(child.number))

  await drawing.focus()
  await page.keyboard.press('ArrowLeft')
  await page.waitForURL(new RegExp(`layer=${child.parent}$`))

  await page.getByLabel('Find layers by number, op or formula').fill('op:tanh')
  const sought = now.found('op:tanh')
  await page.getByText(`${sought.length} found`).waitFor()
  assert.deepEqual(numbers((await marks(drawing)).filter((mark) => !mark.faded)), sought)
})

/** Pixels of the drawing's canvas that are not transparent, once it is painted; as text, since it runs in the page. */
const PAINTED = `(async () => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  const canvas = document.querySelector('[data-testid=lineage] canvas')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return data.filter((value, i) => i % 4 === 3 && value > 0).length
})()`

test('a large family is painted, also while a replay plays, and says what it draws', async (t) => {
  const now = await stand(t, 2500)
  if (!now) return
  await now.go('lineage')
  const drawing = now.page.getByTestId('lineage')
  await drawing.locator('canvas').waitFor()
  assert.equal(await drawing.getAttribute('data-nodes'), String(now.nodes.length))
  assert.equal(await drawing.getAttribute('data-drawn'), 'canvas')
  const painted = await now.page.evaluate<number>(PAINTED)
  assert.ok(painted > 10_000, `${painted} pixels are painted`)
  assert.ok(Number(await drawing.getAttribute('data-bands')) > 0, 'extinct branches are bands')

  const { page } = now
  await page.getByRole('button', { name: 'Replay from the start' }).click()
  await page.getByTestId('new-best').getByText('Best so far').waitFor()
  // Two pictures while it plays: something is painted in each, and more in the later one.
  const early = await page.evaluate<number>(PAINTED)
  await page.getByText(/to #(1,[5-9]|2,)\d\d/).waitFor()
  const late = await page.evaluate<number>(PAINTED)
  assert.ok(early > 0 && late > early, `${early} pixels, then ${late}`)
})

test('the lineage opens at the best layer with its way from the root, and travels along it', async (t) => {
  const now = await stand(t, 150)
  if (!now) return
  const { page } = now
  await now.go('lineage')
  const drawing = page.getByTestId('lineage')
  const strip = page.getByTestId('champion')
  await strip.waitFor()
  const best = await strip.getAttribute('data-target')
  await page.locator(`[data-testid=lineage][data-selected="${best}"]`).waitFor()
  const parents = new Map(now.nodes.map(({ number, parent }) => [number, parent]))
  const ancestry: number[] = []
  for (let at: number | null | undefined = Number(best); at != null; at = parents.get(at)) ancestry.push(at)
  if (ancestry.length > (await strip.locator('[data-step]').count()))
    await strip.getByRole('button', { name: 'Every step', exact: true }).click()
  const steps = (): Promise<string[]> =>
    strip.locator('[data-step]').evaluateAll((all) => all.map((step) => step.getAttribute('data-step')!))
  assert.deepEqual((await steps()).map(Number), ancestry.toReversed())

  await strip.locator('[data-step]').first().click()
  await page.locator(`[data-testid=lineage][data-selected="${ancestry.at(-1)}"]`).waitFor()
  assert.equal(await strip.getAttribute('data-target'), best, 'the way to the best is still told')

  // Closer and closer about the selected layer: it never leaves the window, and the address keeps the window.
  for (let i = 0; i < 4; i++) {
    await page.getByRole('button', { name: 'Closer' }).click()
    await page.waitForTimeout(350)
  }
  const ring = (await drawing.locator('circle.ring.chosen').boundingBox())!
  const box = (await drawing.boundingBox())!
  assert.ok(ring.x > box.x && ring.x < box.x + box.width && ring.y > box.y && ring.y < box.y + box.height)
  const shown = (await drawing.getAttribute('data-window'))!
  const zoom = `zoom=${shown.split(',').map(Number).join()}`
  await page.waitForURL((url) => decodeURIComponent(url.hash).includes(zoom))
  await page.reload()
  await page.locator(`[data-testid=lineage][data-window="${shown}"]`).waitFor()
})

test('a layer shows its stored formula, graph and scores, and the next one by its key', async (t) => {
  const now = await stand(t, 150)
  if (!now) return
  const { page } = now
  const { number } = now.nodes.find((node) => node.status === 'scored' && node.parent !== null)!
  const { candidate, evaluations } = now.detail(number)
  await now.go(`layer/${number}`)
  const layer = page.getByTestId('layer')
  await layer.waitFor()
  const shown = await layer.locator('[data-formula]').first().getAttribute('data-formula')
  assert.equal(shown, formulaText(candidate.graph))
  const own = (await layer.getByTestId('scores').locator('tbody tr').first().innerText()).match(
    /[\d.]+(?=%)/g,
  )
  assert.deepEqual(
    own!.slice(0, candidate.scores!.length),
    candidate.scores!.map((score) => (score * 100).toFixed(1)),
  )
  const curves = layer.getByTestId('curves-loss').locator('path.curve')
  assert.equal(await curves.count(), evaluations.length)

  await page.keyboard.press(']')
  await page.waitForURL(new RegExp(`/layer/${number + 1}$`))
})

test('the front in the table is the Pareto front of the stored scores', async (t) => {
  const now = await stand(t, 150)
  if (!now) return
  const seen = new Set<string>()
  const scored = now.nodes.filter((node) => {
    if (node.role !== 'candidate' || !node.scores || seen.has(node.fingerprint)) return false
    seen.add(node.fingerprint)
    return true
  })
  const front = paretoFront(scored.map((node) => node.scores!)).map((i) => scored[i]!)
  await now.go('pareto')
  const rows = now.page.getByTestId('front').locator('tbody tr')
  await rows.first().waitFor()
  const shown = await rows.evaluateAll((all) => all.map((row) => ({ number: Number(row.dataset['number']) })))
  assert.deepEqual(numbers(shown), numbers(front))
  assert.equal(await now.page.getByTestId('scatter').count(), 3)

  await rows.first().click()
  await now.page.waitForURL(/pareto\?layer=\d+$/)
})
