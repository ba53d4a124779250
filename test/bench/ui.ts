/**
 * `npm run bench -- ui [--candidates 100000] [--data <folder>]`: how fluid the page is with many candidates, in Chromium on
 * the real host and a made-up store. Times are wall times; a busy machine or a software renderer makes them longer.
 */
import { rmSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import { startServer } from '../../main/browser/server.ts'
import { findBrowser } from '../app/browser.ts'
import { seedStore } from '../app/seed.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'

type Measure = { readonly what: string; readonly value: string; readonly bar: string }

/** Runs in the page: longest task so far, and frames while something moves. */
const WATCH = `(() => {
  window.longest = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration)
  }).observe({ type: 'longtask', buffered: true })
  window.frames = () => {
    const times = []
    let before = performance.now()
    let on = true
    const tick = (now) => { times.push(now - before); before = now; if (on) requestAnimationFrame(tick) }
    requestAnimationFrame(tick)
    return () => { on = false; return times.slice(1).sort((a, b) => a - b) }
  }
})()`

/** 95th percentile of the frames while `move` runs, milliseconds. */
const framesOf = async (page: Page, move: () => Promise<void>): Promise<number> => {
  await page.evaluate('void (window.stopFrames = window.frames())')
  await move()
  const times = await page.evaluate<number[]>('window.stopFrames()')
  return times[Math.floor(times.length * 0.95)] ?? NaN
}

const ms = (value: number): string => `${value.toFixed(0)} ms`

/** Time until a selector is there and the next two frames are drawn; and the longest task on the way. */
const opened = async (
  page: Page,
  address: string,
  selector: string,
): Promise<{ time: number; longest: number }> => {
  await page.evaluate('void (window.longest = 0)')
  const start = performance.now()
  await page.evaluate(`location.hash = ${JSON.stringify(address)}`)
  await page.locator(selector).first().waitFor({ timeout: 120_000 })
  await page.evaluate('new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))')
  const time = performance.now() - start
  await sleep(300)
  return { time, longest: await page.evaluate<number>('window.longest') }
}

const dragged = async (page: Page): Promise<void> => {
  const box = (await page.getByTestId('lineage').boundingBox())!
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  await page.mouse.move(x, y)
  await page.mouse.down()
  for (let i = 1; i <= 40; i++) await page.mouse.move(x + i * 4, y + i)
  await page.mouse.up()
}
const zoomed = async (page: Page): Promise<void> => {
  const box = (await page.getByTestId('lineage').boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  for (let i = 0; i < 40; i++) await page.mouse.wheel(0, i < 20 ? -60 : 60)
}

/** Time from typing a filter until its rows are shown, milliseconds: the 95th percentile of several. */
const filtered = async (page: Page): Promise<number> => {
  const times: number[] = []
  // Each has other rows at its top than the one before.
  for (const text of [
    'acc<0.3',
    'acc<0.5',
    'op:tanh acc<0.45',
    'acc<0.6',
    'op:sigmoid acc<0.5',
    'acc<0.65',
    'acc<0.4',
  ]) {
    const table = "document.querySelector('[data-testid=candidates-table]')?.innerText"
    const before = await page.evaluate<string>(table)
    const start = performance.now()
    await page.locator('[data-filter]').first().fill(text)
    await page.evaluate(`new Promise((resolve) => {
      const look = () => (${table} !== ${JSON.stringify(before)} ? resolve() : requestAnimationFrame(look))
      look()
    })`)
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]!
}

const measure = async (page: Page, url: string, id: string): Promise<Measure[]> => {
  const at = (view: string): string => `#/search/${id}/${view}`
  await page.addInitScript(WATCH)
  await page.goto(url)
  await page.locator('td.name a').first().waitFor()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const lineage = await opened(page, at('lineage'), '[data-testid=lineage] svg')
  delay.disable()
  const pan = await framesOf(page, () => dragged(page))
  const zoom = await framesOf(page, () => zoomed(page))
  const start = performance.now()
  await page.getByRole('button', { name: 'As table' }).click()
  await page.getByTestId('family-table').locator('tbody tr').nth(5).waitFor()
  const table = performance.now() - start
  const pareto = await opened(page, at('pareto'), '[data-testid=scatter] canvas')
  await opened(page, at('candidates'), '[data-testid=candidates-table] [role=row]')
  const filter = await filtered(page)
  const heap = await page.evaluate<number>('performance.memory.usedJSHeapSize / 1e6')
  return [
    { what: 'open the lineage', value: ms(lineage.time), bar: '800 ms' },
    { what: 'longest task while it opens', value: ms(lineage.longest), bar: '100 ms' },
    { what: 'host blocked at most while it opens', value: ms(delay.max / 1e6), bar: '50 ms' },
    { what: 'pan, 95th percentile frame', value: ms(pan), bar: '33 ms (software renderer)' },
    { what: 'zoom, 95th percentile frame', value: ms(zoom), bar: '33 ms (software renderer)' },
    { what: 'lineage as a table', value: ms(table), bar: '300 ms' },
    { what: 'open Pareto', value: ms(pareto.time), bar: '800 ms' },
    { what: 'longest task while it opens', value: ms(pareto.longest), bar: '100 ms' },
    { what: 'filter, 95th percentile', value: ms(filter), bar: '150 ms' },
    { what: 'memory of the page (JavaScript)', value: `${heap.toFixed(0)} MB`, bar: '600 MB' },
  ]
}

export const benchUi = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { candidates: { type: 'string', default: '100000' }, data: { type: 'string' } },
  })
  const executablePath = findBrowser()
  if (executablePath === null)
    throw new Error('bench ui: needed a Chromium, got none (NORMFORGE_CHROMIUM names one)')
  const folder = values.data ?? dataFolder()
  if (values.data === undefined) {
    console.log(`Making up a search of ${values.candidates} candidates…`)
    seedStore(folder, { candidates: Number(values.candidates), seed: 1 })
  }
  const server = await startServer({ dataFolder: folder, workers: 1, evaluator: STAND_IN })
  const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--no-sandbox'] })
  try {
    const listed = await server.api.request({ id: 1, name: 'searches.list', argument: {} })
    if (!listed.ok) throw new Error(`bench ui: ${listed.message}`)
    const [{ search }] = listed.value as [{ search: { id: string } }]
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    for (const { what, value, bar } of await measure(page, server.url, search.id))
      console.log(`${what.padEnd(38)} ${value.padStart(9)}   must ${bar}`)
  } finally {
    await browser.close()
    await server.close()
    if (values.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}
