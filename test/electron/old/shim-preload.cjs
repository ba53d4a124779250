// What Electron 22's preloads lack, added before preload.cjs runs.
/* eslint-disable @typescript-eslint/no-require-imports */
const electron = /** @type {{ webUtils?: object }} */ (require('electron'))

electron.webUtils ??= {
  /** @param {{ path: string }} file */
  getPathForFile: (file) => file.path,
}
