import { Database } from './database.ts'
import { defaultDataFolder, storePath } from './folder.ts'
import { openDatabase } from './open.ts'

/** The store in a data folder: made when there is none. Throws a StoreError when its file can't be used. */
export const openStore = (dataFolder: string = defaultDataFolder()): Database =>
  new Database(openDatabase(storePath(dataFolder)))
