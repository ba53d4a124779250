/** The host's door to the desktop window that started it: pages' frames over the process's channel, and no port. */
import { createApi, type Api, type ApiOptions } from '../api.ts'
import { converse } from '../converse.ts'
import { wholeBackup } from '../store/backup.ts'
import { StoreError } from '../store/errors.ts'
import { defaultDataFolder, storePath } from '../store/folder.ts'
import { watchWork } from './work.ts'
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
  const api = begin(options)
  if (!api) return
  const pages = new Map<number, DesktopPage>()
  const end = (): void => {
    setTimeout(() => process.exit(0), CLOSING_MS)
    api.close().finally(() => process.exit(0))
  }
  const take: { readonly [K in ToHost['kind']]: (message: Extract<ToHost, { kind: K }>) => void } = {
    open: ({ page }) => {
      const opened = new DesktopPage(page, tell)
      pages.set(page, opened)
      opened.on('close', () => pages.delete(page))
      converse(opened, api)
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
  tell({ kind: 'ready' })
  await watchWork(api, tell)
}

/** The api; null where it can't begin, which the window is told. */
const begin = (options: Omit<ApiOptions, 'host'>): Api | null => {
  try {
    return createApi({ ...options, host: 'desktop' })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    tell({ kind: 'failed', message, restorable: isRestorable(error, options.dataFolder) })
    process.disconnect()
    process.exitCode = 1
    return null
  }
}

const isRestorable = (error: unknown, dataFolder = defaultDataFolder()): boolean =>
  error instanceof StoreError && error.damaged && wholeBackup(storePath(dataFolder)) !== null
