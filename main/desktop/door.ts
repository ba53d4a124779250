/** The host's door to the desktop window that started it: pages' frames over the process's channel, and no port. */
import { createApi, type Api, type ApiOptions } from '../api.ts'
import { converse } from '../converse.ts'
import { ensureEngine } from '../setup/engine.ts'
import { hearSetup, sentenceOf } from '../setup/process.mjs'
import { wholeBackup } from '../store/backup.ts'
import { StoreError } from '../store/errors.ts'
import { defaultDataFolder, storePath } from '../store/folder.ts'
import { watchWork } from './work.ts'
import { ENGINE, evaluatorModule } from '../workshop.ts'
import type { FromHost, ToHost } from './messages.ts'
import { DesktopPage } from './page.ts'

/** What is at work has so long to end, milliseconds; the store loses nothing by a sudden end. */
const CLOSING_MS = 4000

const tell = (message: FromHost): void => {
  // A window that has gone is told of by `disconnect`.
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}

/** Answers the window until it ends this process, or has ended itself. */
export const openDoor = async (options: Omit<ApiOptions, 'host'>): Promise<void> => {
  if (!process.send)
    throw new Error('--desktop: needs to be started by the desktop window, which has a channel')
  const pages = new Map<number, DesktopPage>()
  let api: Api | null = null
  const end = (): void => {
    setTimeout(() => process.exit(), CLOSING_MS)
    void Promise.resolve(api?.close()).finally(() => process.exit())
  }
  const take: { readonly [K in ToHost['kind']]: (message: Extract<ToHost, { kind: K }>) => void } = {
    open: ({ page }) => {
      const opened = new DesktopPage(page, tell)
      pages.set(page, opened)
      opened.on('close', () => pages.delete(page))
      if (api) converse(opened, api)
    },
    text: ({ page, text }) => pages.get(page)?.receive(text),
    heard: ({ page, characters }) => pages.get(page)?.heard(characters),
    closed: ({ page }) => pages.get(page)?.leave(),
    end,
  }
  process.on('message', (message: ToHost) => take[message.kind](message as never))
  process.on('disconnect', end)
  // Ctrl-C reaches the window, too, which then ends this process in its own time.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', end)
  api = await begin(options)
  if (!api) return
  tell({ kind: 'ready' })
  await watchWork(api, tell)
}

/** The api, once the engine is there; null where it can't begin, which the window is told. */
const begin = async (options: Omit<ApiOptions, 'host'>): Promise<Api | null> => {
  try {
    hearSetup((text, share) => tell({ kind: 'setup', text, share }))
    if (evaluatorModule() === ENGINE) await ensureEngine()
    return createApi({ ...options, host: 'desktop' })
  } catch (error) {
    const message = sentenceOf(error) ?? (error instanceof Error ? error.message : String(error))
    tell({ kind: 'failed', message, restorable: isRestorable(error, options.dataFolder) })
    process.disconnect()
    process.exitCode = 1
    return null
  }
}

const isRestorable = (error: unknown, dataFolder = defaultDataFolder()): boolean =>
  error instanceof StoreError && error.damaged && wholeBackup(storePath(dataFolder)) !== null
