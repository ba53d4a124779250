// A sandboxed preload is loaded by Chromium, not by Node: it has to be CommonJS, nothing strips its types, and it can
// require nothing but Electron. So this one file is plain JavaScript, its types checked through JSDoc.
/* eslint-disable @typescript-eslint/no-require-imports */
/** @type {Pick<import('electron'), 'contextBridge' | 'ipcRenderer'>} */
const { contextBridge, ipcRenderer } = require('electron')

/** @type {((event: import('electron').IpcRendererEvent, frame: import('../../shared/contract.ts').EventFrame) => void) | null} */
let listening = null
const stop = () => {
  if (listening) ipcRenderer.off('events', listening)
  listening = null
}

/** @type {import('../../shared/contract.ts').Bridge} */
const bridge = {
  request: (frame) => ipcRenderer.invoke('request', frame),
  subscribe: (since, listener) => {
    stop()
    const receive = (
      /** @type {unknown} */ _event,
      /** @type {import('../../shared/contract.ts').EventFrame} */ frame,
    ) => {
      ipcRenderer.send('heard')
      listener(frame)
    }
    listening = receive
    ipcRenderer.on('events', receive)
    ipcRenderer.send('subscribe', { subscribe: { since } })
    return () => {
      if (listening === receive) stop()
    }
  },
}
contextBridge.exposeInMainWorld('normforge', bridge)
