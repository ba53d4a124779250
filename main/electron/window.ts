import path from 'node:path'
import { BrowserWindow, nativeTheme, type App } from 'electron'
import { HOME, isOwn } from './address.ts'

/** Where main.cjs lies: the preload and the page are beside it. */
export const bundle = __dirname

/** A page that dies so often within a minute is not loaded again. */
const MOST_CRASHES = 3

export const openWindow = (bounds: Partial<Electron.Rectangle> = {}): BrowserWindow => {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    ...bounds,
    minWidth: 880,
    minHeight: 560,
    show: false,
    title: 'NormForge',
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#181b1e' : '#ffffff',
    webPreferences: {
      preload: path.join(bundle, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  let crashes: number[] = []
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    crashes = [...crashes.filter((at) => Date.now() - at < 60_000), Date.now()]
    console.error(`normforge: the page's process has gone (${reason})`)
    // Not at once: Chromium is still taking the dead one down.
    if (crashes.length <= MOST_CRASHES)
      setTimeout(() => !window.isDestroyed() && window.webContents.reload(), 100)
  })
  void window.loadURL(HOME)
  return window
}

/**
 * Whatever a page tries: it stays at its own address, opens no window, and is granted nothing but to write what a user
 * copies to the clipboard.
 */
export const confinePages = (app: App): void => {
  app.on('web-contents-created', (_event, page) => {
    page.on('will-navigate', (event, address) => {
      if (!isOwn(event.url ?? address)) event.preventDefault()
    })
    page.on('will-redirect', (event, address) => {
      if (!isOwn(event.url ?? address)) event.preventDefault()
    })
    page.on('will-attach-webview', (event) => event.preventDefault())
    page.setWindowOpenHandler(() => ({ action: 'deny' }))
    const allowed = (permission: string, origin: string | undefined): boolean =>
      permission === 'clipboard-sanitized-write' && isOwn(origin ?? '')
    page.session.setPermissionRequestHandler((from, permission, grant) =>
      grant(allowed(permission, from?.getURL())),
    )
    page.session.setPermissionCheckHandler((from, permission, origin) =>
      allowed(permission, origin || from?.getURL()),
    )
  })
}
