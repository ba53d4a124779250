import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { cacheFolder, root } from './process.mjs'

const PACKAGE = path.join(root, 'node_modules/electron')
/** A failed download is not tried again for a day, so that later starts are quick. */
const PATIENCE_MS = 24 * 3600 * 1000

/** Electron's binary where npm's package has it, else null. */
export const electronBinary = (): string | null => {
  const named = path.join(PACKAGE, 'path.txt')
  if (!fs.existsSync(named)) return null
  const binary = path.join(PACKAGE, 'dist', fs.readFileSync(named, 'utf8').trim())
  return fs.existsSync(binary) ? binary : null
}

/** Electron's binary, downloaded by its own install script where that can be had. */
export const ensureElectron = (): string | null => {
  const found = electronBinary()
  const failed = path.join(cacheFolder(), 'electron-download-failed')
  if (found) return found
  const last = fs.statSync(failed, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (Date.now() - last < PATIENCE_MS || !fs.existsSync(path.join(PACKAGE, 'install.js'))) return null
  spawnSync(process.execPath, ['install.js'], { cwd: PACKAGE, stdio: 'ignore', timeout: 120_000 })
  const now = electronBinary()
  if (!now) fs.writeFileSync(failed, '')
  return now
}
