/**
 * The desktop host: the same api as the browser host's, over IPC. Electron 45 carries Node 24, which runs these
 * TypeScript files as they are, so nothing is bundled but the page.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { app, ipcMain, Notification, protocol } from 'electron'
import { createApi } from '../api.ts'
import { root } from '../setup/process.mjs'
import { HOME, SCHEME } from './address.ts'
import { watchFinished, type Finished } from './finished.ts'
import { answerPages } from './ipc.ts'
import { serveFile } from './protocol.ts'
import { confinePages, openWindow } from './window.ts'
import { spawnUtility } from './worker.ts'

const start = async (): Promise<void> => {
  // Chromium's own switches are among the arguments, so that unknown ones pass.
  const { values } = parseArgs({
    args: process.argv.slice(app.isPackaged ? 1 : 2),
    options: { 'data-folder': { type: 'string' }, workers: { type: 'string' }, threads: { type: 'string' } },
    strict: false,
  })
  const [workers, threads] = [Number(values.workers), Number(values.threads)]
  const dataFolder = values['data-folder']
  const api = createApi({
    host: 'electron',
    spawn: spawnUtility,
    dataFolder: typeof dataFolder === 'string' ? dataFolder : undefined,
    workers: workers > 0 ? workers : undefined,
    threads: threads > 0 ? threads : undefined,
  })
  protocol.handle(SCHEME, (request) => serveFile(request, path.join(root, 'dist')))
  answerPages(ipcMain, api)

  let window = openWindow()
  const show = (): void => {
    if (window.isDestroyed()) window = openWindow()
    if (window.isMinimized()) window.restore()
    window.focus()
  }
  const notify = ({ id, name, state }: Finished): void => {
    const notice = new Notification({ title: state === 'done' ? 'Search done' : 'Search failed', body: name })
    notice.on('click', () => {
      show()
      void window.loadURL(`${HOME}#/search/${id}/live`)
    })
    notice.show()
  }
  if (Notification.isSupported()) await watchFinished(api, notify)

  app.on('second-instance', show)
  app.on('activate', show)
  app.on('window-all-closed', () => app.quit())
  // Searches that still run stay in that state in the store, and go on at the next start.
  app.once('before-quit', (event) => {
    event.preventDefault()
    void api.close().finally(() => app.exit(0))
  })
}

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }])
app.enableSandbox()
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
