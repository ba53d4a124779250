/**
 * The desktop window: pages, and the line between them and the host process, which does all the work (main/serve.ts). What
 * is bundled from here to one CommonJS file is what ships.
 */
import path from 'node:path'
import { app, ipcMain, protocol } from 'electron'
import { SCHEME } from './address.ts'
import { openedBy } from './files.ts'
import { serveFile } from './protocol.ts'
import { openSettings } from './settings.ts'
import { bundle, confinePages } from './window.ts'
import { openWorkbench } from './workbench.ts'

const start = (): void => {
  protocol.handle(SCHEME, (request) => serveFile(request, path.join(bundle, 'page')))
  const settings = openSettings(path.join(app.getPath('userData'), 'window.json'))
  const argv = process.argv.slice(app.isPackaged ? 1 : 2)
  const workbench = openWorkbench({ settings, ipc: ipcMain, argv })
  const open = (asked: ReturnType<typeof openedBy>): void => {
    workbench.show(asked.route)
    for (const file of asked.files) void workbench.open(file)
  }
  open(openedBy(argv, process.cwd()))

  app.on('second-instance', (_event, argv, folder) => open(openedBy(argv.slice(1), folder)))
  app.on('activate', () => workbench.show(null))
  app.on('open-file', (event, file) => {
    event.preventDefault()
    open({ files: [file], route: null })
  })
  app.on('open-url', (_event, address) => open(openedBy([address], '/')))
  app.on('window-all-closed', () => workbench.closed())
  // Searches that still run stay in that state in the store, and go on at the next start.
  let ended = false
  app.on('before-quit', (event) => {
    event.preventDefault()
    if (ended) return
    ended = true
    void workbench.end().finally(() => app.exit(0))
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
