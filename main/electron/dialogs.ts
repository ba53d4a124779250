/** Questions to the user, none of which keeps the event loop waiting. */
import { dialog, type BrowserWindow } from 'electron'
import type { Closing } from './settings.ts'

/** What to do with a window that is closed while searches run; null: nothing, it stays. */
export const askClosing = async (
  window: BrowserWindow,
  running: number,
): Promise<{ readonly closing: Exclude<Closing, 'ask'>; readonly always: boolean } | null> => {
  const { response, checkboxChecked } = await dialog.showMessageBox(window, {
    type: 'question',
    message: running === 1 ? 'A search is running' : `${running} searches are running`,
    detail:
      'In the background it goes on without a window; start NormForge again to see it. Paused, it goes on at the next start.',
    buttons: ['Go on in the background', 'Pause and quit', 'Cancel'],
    defaultId: 0,
    cancelId: 2,
    checkboxLabel: 'Do this always',
  })
  if (response === 2) return null
  return { closing: response === 0 ? 'background' : 'pause', always: checkboxChecked }
}

export type WayOut = 'restore' | 'again' | 'folder' | 'quit'

/** What to do where the host can't begin, or goes on dying. */
export const askWayOut = async (
  window: BrowserWindow,
  { message, restorable }: { readonly message: string; readonly restorable: boolean },
): Promise<WayOut> => {
  const ways: readonly (readonly [WayOut, string])[] = [
    ...(restorable ? [['restore', 'Restore the newest backup'] as const] : []),
    ['again', 'Try again'],
    ['folder', 'Open another data folder…'],
    ['quit', 'Quit'],
  ]
  const { response } = await dialog.showMessageBox(window, {
    type: 'error',
    message: restorable ? 'The store of searches is damaged' : 'NormForge can’t begin',
    detail: message,
    buttons: ways.map(([, label]) => label),
    defaultId: 0,
    cancelId: ways.length - 1,
  })
  return ways[response]?.[0] ?? 'quit'
}

export const askFolder = async (window: BrowserWindow, title: string): Promise<string | null> => {
  const { filePaths } = await dialog.showOpenDialog(window, {
    title,
    properties: ['openDirectory', 'createDirectory'],
  })
  return filePaths[0] ?? null
}

export const askFile = async (window: BrowserWindow): Promise<string | null> => {
  const { filePaths } = await dialog.showOpenDialog(window, {
    title: 'Open',
    properties: ['openFile'],
    filters: [
      { name: 'Layers', extensions: ['json', 'txt'] },
      { name: 'All files', extensions: ['*'] },
    ],
  })
  return filePaths[0] ?? null
}
