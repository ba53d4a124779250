import { Database } from './database.ts'
import { defaultDataFolder, storePath } from './folder.ts'
import { openDatabase, type Access } from './open.ts'

/** The store in a data folder: made when there is none. Throws a StoreError when its file can't be used. */
export const openStore = (dataFolder: string = defaultDataFolder(), access: Access = 'write'): Database =>
  new Database(openDatabase(storePath(dataFolder), undefined, access))
