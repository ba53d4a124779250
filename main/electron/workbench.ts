/** The one window and its host: what is shown, opened, closed, and told of what goes on. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  app,
  dialog,
  Notification,
  type BrowserWindow,
  type IpcMain,
  type IpcMainInvokeEvent,
} from 'electron'
import type { Finished, FromHost, Work } from '../desktop/messages.ts'
import { HOME } from './address.ts'
import { askClosing, askFile, askFolder, askWayOut } from './dialogs.ts'
import { readOpened } from './files.ts'
import { keepHost } from './host.ts'
import { showMenu } from './menu.ts'
import { hostOptions, hostPlace } from './place.ts'
import { isPage, relayPages } from './relay.ts'
import { withFolder, type SettingsFile } from './settings.ts'
import { keepState, openWindow } from './window.ts'

export type Workbench = {
  /** Brings the window to the front, at an address of the page (after its `#`) where one is named. */
  show(route: string | null): void
  open(file: string): Promise<void>
  /** The window was closed. */
  closed(): void
  end(): Promise<void>
}

/** Without a window and with nothing left to do, the program waits so long for who reads its last notice. */
const LINGER_MS = 60_000

export const openWorkbench = ({
  settings,
  ipc,
  argv,
}: {
  readonly settings: SettingsFile
  readonly ipc: IpcMain
  readonly argv: readonly string[]
}): Workbench => {
  const place = hostPlace()
  const { folder: named, args } = hostOptions(argv)
  let folder = named ?? settings.now().folder
  let work: Work = { kind: 'work', running: 0, progress: null }
  let window: BrowserWindow | null = null
  let background = false
  let quitting = false
  /** Files that were opened before the page could take them. */
  const waiting: string[] = []
  let takesFiles = false

  const hostArguments = (): string[] => [...args, ...(folder === null ? [] : ['--data-folder', folder])]
  const relay = relayPages(ipc, () => host)

  const heed = (message: FromHost): void => {
    switch (message.kind) {
      case 'setup':
        tellProgress(message.share ?? 2)
        return relay.wait(message.text, message.share)
      case 'ready':
        tellProgress(-1)
        return relay.ready()
      case 'failed':
        return void findWayOut(message)
      case 'finished':
        return notify(message)
      case 'work':
        return takeWork(message)
      default:
        return relay.pass(message)
    }
  }
  const tellProgress = (share: number): void => window?.setProgressBar(share)
  const takeWork = (now: Work): void => {
    work = now
    tellProgress(now.running === 0 ? -1 : (now.progress ?? 2))
    if (now.running === 0 && background)
      setTimeout(() => !window && work.running === 0 && app.quit(), LINGER_MS)
  }
  const notify = ({ id, name, state }: Finished): void => {
    if (!Notification.isSupported()) return
    const notice = new Notification({ title: state === 'done' ? 'Search done' : 'Search failed', body: name })
    notice.on('click', () => show(`#/search/${id}/live`))
    notice.show()
  }

  const show = (route: string | null): void => {
    if (!window) window = newWindow(route ?? '')
    else if (route !== null && window.webContents.getURL() !== HOME + route) void window.loadURL(HOME + route)
    if (window.isMinimized()) window.restore()
    window.focus()
  }
  const newWindow = (route: string): BrowserWindow => {
    const opened = openWindow(settings, route)
    takesFiles = background = false
    opened.on('close', (event) => {
      if (quitting || work.running === 0 || background) return
      const { closing } = settings.now()
      if (closing === 'background') background = true
      if (closing !== 'ask') return
      event.preventDefault()
      void close(opened)
    })
    opened.on('closed', () => (window = null))
    return opened
  }
  const close = async (opened: BrowserWindow): Promise<void> => {
    const answer = await askClosing(opened, work.running)
    if (answer === null || opened.isDestroyed()) return
    if (answer.always) settings.change({ closing: answer.closing })
    background = answer.closing === 'background'
    if (background) opened.close()
    else app.quit()
  }

  const openFolder = async (next: string | null): Promise<void> => {
    settings.change(next === null ? { folder: null } : withFolder(settings.now(), next))
    folder = next
    drawMenu()
    await host.restart(hostArguments())
  }
  const chooseFolder = async (): Promise<void> => {
    const chosen = window && (await askFolder(window, 'Data folder'))
    if (chosen) await openFolder(chosen)
  }
  const chooseFile = async (): Promise<void> => {
    const chosen = window && (await askFile(window))
    if (chosen) await open(chosen)
  }
  const open = async (file: string): Promise<void> => {
    show(null)
    if (!takesFiles) return void waiting.push(file)
    try {
      window?.webContents.send('file', await readOpened(file))
    } catch (error) {
      if (window) await dialog.showMessageBox(window, { type: 'warning', message: (error as Error).message })
    }
  }
  const drawMenu = (): void =>
    showMenu(
      {
        go: show,
        openFile: () => void chooseFile(),
        chooseFolder: () => void chooseFolder(),
        openFolder: (next) => void openFolder(next),
        closingAsks: () => settings.change({ closing: 'ask' }),
      },
      { folders: settings.now().folders, current: folder },
    )

  /** Where the host can't begin: asks until it can, or until the user leaves. */
  const findWayOut = async (why: { message: string; restorable: boolean }): Promise<void> => {
    show(null)
    const way = await askWayOut(window!, why)
    if (way === 'quit') return app.quit()
    if (way === 'folder') await chooseFolder()
    if (way === 'restore') await restore()
    // Where no other folder was chosen, it is tried again.
    if (way !== 'folder' || host.pid() === undefined) await host.restart(hostArguments())
  }
  const restore = async (): Promise<void> => {
    const at = folder === null ? [] : ['--data-folder', folder]
    const told = await promisify(execFile)(place.node, [place.cli, 'restore', ...at]).then(
      ({ stdout }) => stdout,
      (error: Error & { stderr?: string }) => error.stderr || error.message,
    )
    if (window) await dialog.showMessageBox(window, { type: 'info', message: told.trim() })
  }

  ipc.handle('choose-folder', (event: IpcMainInvokeEvent) => {
    if (!isPage(event) || !window) throw new Error('ipc: needs to be asked by the page')
    return askFolder(window, 'Folder of images')
  })
  ipc.on('takes-files', (event) => {
    if (!isPage(event)) return
    takesFiles = true
    for (const file of waiting.splice(0)) void open(file)
  })
  const host = keepHost(
    { node: place.node, program: place.program, args: hostArguments() },
    {
      message: heed,
      lost: () => {
        work = { kind: 'work', running: 0, progress: null }
        relay.lost()
      },
      hopeless: (words) =>
        void findWayOut({ message: words || 'Its process ends as soon as it begins.', restorable: false }),
    },
  )
  drawMenu()

  return {
    show,
    open,
    closed: () => {
      if (!background) app.quit()
    },
    end: async () => {
      quitting = true
      if (window) keepState(window, settings)
      window?.destroy()
      await Promise.all([host.end(), settings.saved()])
    },
  }
}
