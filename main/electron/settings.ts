/** What the window remembers between starts: a small JSON file of the user's own. Anything in it may be missing or wrong. */
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'

export type Rectangle = {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
/** What closing the window does while a search runs. */
export type Closing = 'ask' | 'pause' | 'background'

export type Settings = {
  readonly bounds: Rectangle | null
  readonly maximized: boolean
  /** Chromium's zoom level: 0 is 100 %, each step a fifth more. */
  readonly zoom: number
  readonly closing: Closing
  /** The data folder chosen last; null: where searches are by default. */
  readonly folder: string | null
  /** Data folders that were open, the newest first. */
  readonly folders: readonly string[]
}

const FIRST: Settings = {
  bounds: null,
  maximized: false,
  zoom: 0,
  closing: 'ask',
  folder: null,
  folders: [],
}
const MOST_FOLDERS = 8

const isRectangle = (value: unknown): value is Rectangle =>
  typeof value === 'object' &&
  value !== null &&
  ['x', 'y', 'width', 'height'].every((key) => Number.isSafeInteger(Reflect.get(value, key)))

/** What of a file's content can be used. */
export const settingsIn = (text: string): Settings => {
  let found: Partial<Record<keyof Settings, unknown>>
  try {
    found = Object(JSON.parse(text)) as object
  } catch {
    return FIRST
  }
  const { bounds, maximized, zoom, closing, folder, folders } = found
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
  return {
    bounds: isRectangle(bounds) ? bounds : FIRST.bounds,
    maximized: maximized === true,
    zoom: typeof zoom === 'number' && Math.abs(zoom) <= 8 ? zoom : FIRST.zoom,
    closing: closing === 'pause' || closing === 'background' ? closing : FIRST.closing,
    folder: isText(folder) ? folder : FIRST.folder,
    folders: Array.isArray(folders) ? folders.filter(isText).slice(0, MOST_FOLDERS) : FIRST.folders,
  }
}

/** A data folder at the head of those that were open. */
export const withFolder = (settings: Settings, folder: string): Settings => ({
  ...settings,
  folder,
  folders: [folder, ...settings.folders.filter((other) => other !== folder)].slice(0, MOST_FOLDERS),
})

export type SettingsFile = {
  now(): Settings
  change(change: Partial<Settings>): void
  /** Waits until what was changed is on the disk. */
  saved(): Promise<void>
}

export const openSettings = (file: string): SettingsFile => {
  let settings = settingsIn(textIn(file))
  let saving = Promise.resolve()
  const save = async (): Promise<void> => {
    await writeFile(`${file}.tmp`, JSON.stringify(settings, null, 2), { mode: 0o600 })
    await rename(`${file}.tmp`, file)
  }
  return {
    now: () => settings,
    change: (change) => {
      settings = { ...settings, ...change }
      // A disk that refuses costs the window its memory, and nothing else.
      saving = saving.then(save).catch((error: Error) => console.error(`normforge: ${error.message}`))
    },
    saved: () => saving,
  }
}

const textIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
