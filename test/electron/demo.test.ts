/** The one-click demo on the real engine in the desktop window: left in the middle, gone on with, done, and told of. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ElectronApplication } from 'playwright-core'
import { backUp } from '../../main/store/backup.ts'
import { storePath } from '../../main/store/folder.ts'
import { openStore } from '../../main/store/store.ts'
import { dataFolder, until } from '../main/stand-in-app.ts'
import { inWindow, launch, stubDialogs } from './desktop.ts'
import { findElectron, openDisplay } from './real.ts'

/** The page's own press goes through; only the budget in its request is made smaller on the way to the host. */
const shortenSearches = (app: ElectronApplication): Promise<void> =>
  inWindow(
    app,
    ({ ipcMain }, change) => {
      const [pass] = ipcMain.listeners('text') as ((...told: unknown[]) => void)[]
      ipcMain.removeAllListeners('text')
      ipcMain.on('text', (event, connection: number, text: string) => {
        const frame = JSON.parse(text) as { name?: string; argument?: { config: Record<string, object> } }
        if (frame.name === 'searches.create')
          for (const [key, value] of Object.entries(change))
            frame.argument!.config[key] = Array.isArray(value)
              ? value
              : { ...frame.argument!.config[key], ...value }
        pass!(event, connection, JSON.stringify(frame))
      })
    },
    {
      data: { trainingImages: 256, validationImages: 100 },
      architectures: [{ name: 'resnet', width: 0.0625, depth: 0.2 }],
      training: { steps: 12, batchSize: 16, warmupSteps: 2 },
      rejection: { quality: { steps: 6, minAccuracy: 0.05 } },
      evolution: {
        maxTrained: 8,
        maxSeconds: 0,
        initialSize: 6,
        population: 6,
        rerank: { count: 1, steps: 12 },
      },
      baselines: ['BN-ReLU'],
    },
  )

/** Notes the notices that the window shows, and the longest that its event loop was held up, milliseconds. */
const watch = (app: ElectronApplication): Promise<void> =>
  inWindow(
    app,
    ({ Notification }) => {
      const seen = globalThis as { notices?: string[]; longest?: number; click?: () => void }
      seen.notices = []
      Object.assign(Notification, { isSupported: () => true })
      // What it shows is an own function of each notice; a click is listened for on all.
      Object.assign(Notification.prototype, {
        on(this: Electron.Notification, _event: string, click: () => void) {
          seen.notices!.push(`${this.title}: ${this.body}`)
          seen.click = click
        },
      })
      seen.longest = 0
      let last = performance.now()
      let used = process.cpuUsage()
      setInterval(() => {
        const now = performance.now()
        const { user, system } = process.cpuUsage(used)
        // On a busy machine the process waits, too: no longer than the processor worked for it was it held up itself.
        seen.longest = Math.max(seen.longest!, Math.min(now - last - 5, (user + system) / 1000))
        last = now
        used = process.cpuUsage()
      }, 5)
    },
    null,
  )
const seen = (app: ElectronApplication) =>
  inWindow(
    app,
    () => {
      const { notices = [], longest = 0 } = globalThis as { notices?: string[]; longest?: number }
      return { notices, longest }
    },
    null,
  )

test(
  'the demo runs on real workers, is left in the middle, goes on at the next start, and its end is told',
  { timeout: 240_000 },
  async (t) => {
    const electron = await findElectron(t)
    if (!electron) return
    const env = await openDisplay(t)
    const first = await launch(t, electron, { env, standIn: false })
    await shortenSearches(first.app)
    await first.page.getByTestId('start-demo').click()
    await until(
      'a trained layer',
      async () => Number(await first.page.getByTestId('count-scored').innerText()) > 0,
    )
    await first.app.close()
    assert.deepEqual(first.problems, [])

    const next = await launch(t, electron, { env, standIn: false, data: first.data, home: first.home })
    await watch(next.app)
    await next.page.getByText('Demo on Shapes').first().click()
    await next.page.getByTestId('search-state').getByText('Done').waitFor({ timeout: 120_000 })
    await until('the notice', async () => (await seen(next.app)).notices.length > 0)
    const { notices, longest } = await seen(next.app)
    assert.deepEqual(notices, ['Search done: Demo on Shapes'])
    await next.page.goto('app://normforge/#/')
    await inWindow(next.app, () => (globalThis as { click?: () => void }).click!(), null)
    await next.page.getByTestId('search-state').waitFor()
    t.diagnostic(`the window's main process was held up for ${longest.toFixed(1)} ms at most`)
    await next.app.close()
    assert.deepEqual(next.problems, [])
  },
)

test(
  'a store that is damaged is shown with the offer to restore its backup, which brings the workbench back',
  { timeout: 180_000 },
  async (t) => {
    const electron = await findElectron(t)
    if (!electron) return
    const data = dataFolder()
    openStore(data).close()
    backUp(storePath(data), 1)
    writeFileSync(storePath(data), 'torn')
    const { app, page } = await launch(t, electron, { env: await openDisplay(t), data })
    // Long before the host has read the store.
    await stubDialogs(app, { message: [0, 0] })
    await page.getByTestId('start-demo').waitFor()
    const { asked } = await stubDialogs(app, {})
    assert.equal(asked[0]?.message, 'The store of searches is damaged')
    assert.match(asked[0]?.detail ?? '', /is not a store/)
    assert.match(asked[1]?.message ?? '', /^restored the backup of /)
    await app.close()
  },
)
