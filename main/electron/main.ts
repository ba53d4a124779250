/**
 * The desktop window: pages, and the line between them and the host process, which does all the work (main/serve.ts). What
 * is bundled from here to one CommonJS file is what ships.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { app, dialog, ipcMain, Notification, protocol, type BrowserWindow } from 'electron'
import type { Finished, FromHost } from '../desktop/messages.ts'
import { HOME, SCHEME } from './address.ts'
import { keepHost, type Host } from './host.ts'
import { serveFile } from './protocol.ts'
import { relayPages } from './relay.ts'
import { bundle, confinePages, openWindow } from './window.ts'

/** The host's Node and program, relative to this file or absolute (main/setup/desktop.ts writes it). */
const place = JSON.parse(readFileSync(path.join(bundle, 'host.json'), 'utf8')) as {
  readonly node: string
  readonly program: string
}

/** What the host is told; Chromium's own switches are among the arguments, so that unknown ones pass. */
const hostArguments = (argv: readonly string[]): string[] => {
  const { values } = parseArgs({
    args: argv.slice(app.isPackaged ? 1 : 2),
    options: { 'data-folder': { type: 'string' }, workers: { type: 'string' }, threads: { type: 'string' } },
    strict: false,
  })
  return Object.entries(values).flatMap(([name, value]) =>
    ['data-folder', 'workers', 'threads'].includes(name) && typeof value === 'string'
      ? [`--${name}`, value]
      : [],
  )
}

const start = (): void => {
  protocol.handle(SCHEME, (request) => serveFile(request, path.join(bundle, 'page')))

  let host: Host | null = null
  const relay = relayPages(ipcMain, () => host!)
  let window: BrowserWindow = openWindow()
  const show = (): void => {
    if (window.isDestroyed()) window = openWindow()
    if (window.isMinimized()) window.restore()
    window.focus()
  }
  const notify = ({ id, name, state }: Finished): void => {
    if (!Notification.isSupported()) return
    const notice = new Notification({ title: state === 'done' ? 'Search done' : 'Search failed', body: name })
    notice.on('click', () => {
      show()
      void window.loadURL(`${HOME}#/search/${id}/live`)
    })
    notice.show()
  }
  const heed = (message: FromHost): void => {
    if (message.kind === 'ready') relay.ready()
    else if (message.kind === 'text' || message.kind === 'close') relay.pass(message)
    else if (message.kind === 'finished') notify(message)
    else if (message.kind === 'failed') giveUp(message.message)
  }
  const giveUp = (message: string): void => {
    void dialog
      .showMessageBox(window, { type: 'error', message: 'NormForge can’t begin', detail: message })
      .then(() => app.quit())
  }
  host = keepHost(
    {
      node: path.resolve(bundle, place.node),
      program: path.resolve(bundle, place.program),
      args: hostArguments(process.argv),
    },
    { message: heed, lost: () => relay.lost(), hopeless: giveUp },
  )

  app.on('second-instance', show)
  app.on('activate', show)
  app.on('window-all-closed', () => app.quit())
  // Searches that still run stay in that state in the store, and go on at the next start.
  let ended = false
  app.on('before-quit', (event) => {
    event.preventDefault()
    if (ended) return
    ended = true
    void host!.end().finally(() => app.exit(0))
  })
}

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }])
// Where Chromium is started without its sandbox, which root has to do, it would end the program to be asked for it.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
if (app.requestSingleInstanceLock()) {
  confinePages(app)
  app
    .whenReady()
    .then(start)
    .catch((error: Error) => {
      console.error(`normforge: ${error.message}`)
      app.exit(2)
    })
} else app.quit()
