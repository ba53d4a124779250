import { platform } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { homeFolder } from '../setup/disk.mjs'
import { userPath } from '../caller.ts'
import { StoreError } from './errors.ts'

/** Where searches are kept: NORMFORGE_DATA, else the platform's place for a user's data. */
export const defaultDataFolder = (env: NodeJS.ProcessEnv = process.env): string => {
  if (env['NORMFORGE_DATA']) return userPath(env['NORMFORGE_DATA'], env)
  const xdg = env['XDG_DATA_HOME']
  // The XDG specification: a path that is not absolute is ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'normforge')
  const home = homeFolder()
  if (home === null)
    throw new StoreError('store: no home folder is known here: set NORMFORGE_DATA to a folder for searches')
  if (platform() === 'darwin') return resolve(home, 'Library', 'Application Support', 'normforge')
  if (platform() === 'win32')
    return join(env['LOCALAPPDATA'] ?? resolve(home, 'AppData', 'Local'), 'normforge')
  return resolve(home, '.local', 'share', 'normforge')
}

/** Throws a StoreError for an empty path, which would be wherever the program was started. */
export const storePath = (dataFolder: string): string => {
  if (dataFolder.trim() === '')
    throw new StoreError('store: needs the path of a data folder, got an empty one')
  return join(dataFolder, 'searches.sqlite')
}
