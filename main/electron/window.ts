import path from 'node:path'
import { BrowserWindow, nativeTheme, screen, type App } from 'electron'
import { HOME, isOwn } from './address.ts'
import type { Rectangle, SettingsFile } from './settings.ts'

/** Where main.cjs lies: the preload and the page are beside it. */
export const bundle = __dirname

/** A page that dies so often within a minute is not loaded again. */
const MOST_CRASHES = 3

/** Bounds of which a good part can be seen: the screen they were on may be gone. */
const visible = (bounds: Rectangle | null): Partial<Rectangle> => {
  if (!bounds) return {}
  const { workArea } = screen.getDisplayMatching(bounds)
  const x = Math.min(bounds.x + bounds.width, workArea.x + workArea.width) - Math.max(bounds.x, workArea.x)
  const y = Math.min(bounds.y + bounds.height, workArea.y + workArea.height) - Math.max(bounds.y, workArea.y)
  if (x < 100 || y < 100) return { width: bounds.width, height: bounds.height }
  return bounds
}

/** Opens the window where and as it was; `route` is the page's address after its `#`. */
export const openWindow = (settings: SettingsFile, route = ''): BrowserWindow => {
  const { bounds, maximized, zoom } = settings.now()
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    ...visible(bounds),
    minWidth: 880,
    minHeight: 560,
    show: false,
    title: 'NormForge',
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#181b1e' : '#ffffff',
    webPreferences: {
      preload: path.join(bundle, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => {
    if (maximized) window.maximize()
    window.show()
  })
  window.webContents.on('did-finish-load', () => window.webContents.setZoomLevel(zoom))
  window.on('close', () => keepState(window, settings))
  reviveOnCrash(window)
  void window.loadURL(HOME + route)
  return window
}

/** Notes where and how the window is, for the next start. */
export const keepState = (window: BrowserWindow, settings: SettingsFile): void =>
  settings.change({
    bounds: window.getNormalBounds(),
    maximized: window.isMaximized(),
    zoom: window.webContents.getZoomLevel(),
  })

const reviveOnCrash = (window: BrowserWindow): void => {
  let crashes: number[] = []
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    crashes = [...crashes.filter((at) => Date.now() - at < 60_000), Date.now()]
    console.error(`normforge: the page's process has gone (${reason})`)
    // Not at once: Chromium is still taking the dead one down.
    if (crashes.length <= MOST_CRASHES)
      setTimeout(() => !window.isDestroyed() && window.webContents.reload(), 100)
  })
}

/**
 * Whatever a page tries: it stays at its own address, opens no window, and is granted nothing but to write what a user
 * copies to the clipboard.
 */
export const confinePages = (app: App): void => {
  app.on('web-contents-created', (_event, page) => {
    const stay = (event: { readonly url: string; preventDefault(): void }, address?: string): void => {
      if (!isOwn(event.url ?? address ?? '')) event.preventDefault()
    }
    page.on('will-navigate', stay)
    page.on('will-frame-navigate', stay)
    page.on('will-redirect', stay)
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
