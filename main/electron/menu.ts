import { Menu, type MenuItemConstructorOptions } from 'electron'

export type MenuActions = {
  /** Goes to a view of the page, by its address. */
  go(route: string): void
  openFile(): void
  chooseFolder(): void
  openFolder(folder: string | null): void
  closingAsks(): void
}

/** The application's menu; `folders` are the data folders that were open, `current` the one that is. */
export const menuOf = (
  actions: MenuActions,
  { folders, current }: { readonly folders: readonly string[]; readonly current: string | null },
): MenuItemConstructorOptions[] => {
  const mac = process.platform === 'darwin'
  const view = (label: string, route: string, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.go(route),
  })
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    {
      label: '&File',
      submenu: [
        view('&New search', '#/new', 'CommandOrControl+N'),
        { label: '&Open…', accelerator: 'CommandOrControl+O', click: actions.openFile },
        { type: 'separator' },
        { label: 'Open &data folder…', accelerator: 'CommandOrControl+Shift+O', click: actions.chooseFolder },
        {
          label: '&Recent data folders',
          submenu: [
            {
              label: 'Where searches are by default',
              type: 'radio',
              checked: current === null,
              click: () => actions.openFolder(null),
            },
            ...folders.map((folder): MenuItemConstructorOptions => ({
              // An ampersand would mark the letter after it.
              label: folder.replaceAll('&', '&&'),
              type: 'radio',
              checked: folder === current,
              click: () => actions.openFolder(folder),
            })),
          ],
        },
        { type: 'separator' },
        view('&Settings', '#/settings', 'CommandOrControl+,'),
        { label: 'Ask again what &closing does', click: actions.closingAsks },
        { type: 'separator' },
        mac ? { role: 'close' } : { role: 'quit', accelerator: 'CommandOrControl+Q' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        view('&Home', '#/', 'CommandOrControl+Shift+H'),
        view('&Transfer', '#/transfer', 'CommandOrControl+T'),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        // The plus sign without Shift, as most keyboards have it.
        { role: 'zoomIn', accelerator: 'CommandOrControl+=', visible: false },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        { role: 'reload' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [{ role: 'about', label: '&About NormForge' }] },
  ]
}

export const showMenu = (...of: Parameters<typeof menuOf>): void =>
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuOf(...of)))
