// A sandboxed preload is loaded by Chromium, not by Node: it has to be CommonJS, nothing strips its types, and it can
// require nothing but Electron. So this one file is plain JavaScript, its types checked through JSDoc.
/* eslint-disable @typescript-eslint/no-require-imports */
/** @type {Pick<import('electron'), 'contextBridge' | 'ipcRenderer' | 'webUtils'>} */
const { contextBridge, ipcRenderer, webUtils } = require('electron')

// A page that is loaded anew begins elsewhere, so that what was sent to the one before it is not taken for its own.
let last = Math.floor(Math.random() * 2 ** 40)
/** @type {{ connection: number, pieces: string[], listener: import('../../shared/desktop.ts').LineListener } | null} */
let line = null

/** @param {number} connection @param {import('./relay.ts').Told} told */
const hear = (connection, told) => {
  if (line?.connection !== connection) return
  const { pieces, listener } = line
  if (told.kind === 'open') return listener.open()
  if (told.kind === 'wait') return listener.wait(told.text, told.share)
  if (told.kind === 'close') {
    line = null
    return listener.close()
  }
  ipcRenderer.send('heard', connection, told.text.length)
  pieces.push(told.text)
  if (told.last) listener.text(pieces.splice(0).join(''))
}
ipcRenderer.on('told', (_event, connection, told) => hear(connection, told))

/** @type {import('../../shared/desktop.ts').Desktop} */
const desktop = {
  connect: (listener) => {
    const connection = ++last
    line = { connection, pieces: [], listener }
    ipcRenderer.send('open', connection)
    return {
      send: (text) => ipcRenderer.send('text', connection, text),
      close: () => {
        if (line?.connection !== connection) return
        line = null
        ipcRenderer.send('close', connection)
      },
    }
  },
  chooseFolder: () => ipcRenderer.invoke('choose-folder'),
  pathOf: (file) => webUtils.getPathForFile(/** @type {File} */ (file)),
  onFile: (listener) => {
    ipcRenderer.on('file', (_event, file) => listener(file))
    ipcRenderer.send('takes-files')
  },
}
contextBridge.exposeInMainWorld('normforge', desktop)
