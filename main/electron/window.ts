import { fileURLToPath } from 'node:url'
import { BrowserWindow, nativeTheme, type App } from 'electron'
import { HOME, isOwn } from './address.ts'

const PRELOAD = fileURLToPath(new URL('preload.cjs', import.meta.url))

export const openWindow = (): BrowserWindow => {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 880,
    minHeight: 560,
    show: false,
    title: 'NormForge',
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#181b1e' : '#ffffff',
    webPreferences: {
      preload: PRELOAD,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  void window.loadURL(HOME)
  return window
}

/** Whatever a page tries: it stays at its own address, opens no window, and is granted no permission. */
export const confinePages = (app: App): void => {
  app.on('web-contents-created', (_event, page) => {
    page.on('will-navigate', (event) => {
      if (!isOwn(event.url)) event.preventDefault()
    })
    page.on('will-attach-webview', (event) => event.preventDefault())
    page.setWindowOpenHandler(() => ({ action: 'deny' }))
    page.session.setPermissionRequestHandler((_page, _permission, grant) => grant(false))
    page.session.setPermissionCheckHandler(() => false)
  })
}
