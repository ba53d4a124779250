import fs from 'node:fs'
import path from 'node:path'
import { makeFolder } from './disk.mjs'
import { download } from './download.ts'
import { installed } from './installed.mjs'
import { ELECTRON, electronBinary } from './places.mjs'
import { madeCacheFolder, root, say } from './process.mjs'

/** A failed download is not tried again for a day, so that later starts are quick. */
const PATIENCE_MS = 24 * 3600 * 1000

/** The environment without what would make Electron's script take checksums from where it downloads, not its own. */
const pinned = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/electron_use_remote_checksums$/i.test(name)),
  )

/** Electron's binary, downloaded by its own install script where that can be had; else null. */
export const ensureElectron = async (): Promise<string | null> => {
  const failed = path.join(madeCacheFolder(), 'electron-download-failed')
  const last = fs.statSync(failed, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (electronBinary() !== null || Date.now() - last < PATIENCE_MS) return electronBinary()
  return installed.locked(path.join(root, '.out', 'electron.lock'), async () => {
    if (electronBinary() !== null) return electronBinary()
    say("fetching Electron's binary")
    const temporary = path.join(root, '.out', 'electron')
    makeFolder(temporary)
    await download({
      label: 'Electron',
      program: process.execPath,
      args: ['install.js'],
      folders: [temporary, path.join(ELECTRON, 'dist')],
      patienceSeconds: 45,
      options: { cwd: ELECTRON, env: { ...pinned(), TMPDIR: temporary } },
    })
    fs.rmSync(temporary, { recursive: true, force: true })
    if (electronBinary() === null) fs.writeFileSync(failed, '')
    return electronBinary()
  })
}
