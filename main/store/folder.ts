import { homedir, platform } from 'node:os'
import { join } from 'node:path'

/** Where searches are kept: NORMFORGE_DATA, else the platform's place for a user's data. */
export const defaultDataFolder = (env: NodeJS.ProcessEnv = process.env): string => {
  if (env['NORMFORGE_DATA']) return env['NORMFORGE_DATA']
  if (env['XDG_DATA_HOME']) return join(env['XDG_DATA_HOME'], 'normforge')
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support', 'normforge')
  if (platform() === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'normforge')
  return join(homedir(), '.local', 'share', 'normforge')
}

export const storePath = (dataFolder: string): string => join(dataFolder, 'searches.sqlite')
