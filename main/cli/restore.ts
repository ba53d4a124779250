import type { Command } from 'commander'
import { restore as putBack, wholeBackup } from '../store/backup.ts'
import { StoreError } from '../store/errors.ts'
import { defaultDataFolder, storePath } from '../store/folder.ts'
import { listSearches } from '../store/searches.ts'
import { openStore } from '../store/store.ts'
import { UserError } from './errors.ts'
import { dataFolderOption } from './options.ts'
import type { SessionOptions } from './session.ts'

/** Throws where the store is whole, or can't be used for another reason than damage. */
const requireDamage = (folder: string): void => {
  try {
    openStore(folder).close()
  } catch (error) {
    if (error instanceof StoreError && error.damaged) return
    throw error
  }
  throw new UserError(`the store in ${folder} is whole: there is nothing to restore`)
}

const restore = ({ dataFolder }: SessionOptions): void => {
  const folder = dataFolder ?? defaultDataFolder()
  requireDamage(folder)
  const backup = wholeBackup(storePath(folder))
  if (!backup) throw new UserError(`there is no backup of the store in ${folder}`)
  const aside = putBack(storePath(folder), backup)
  const db = openStore(folder)
  const count = listSearches(db).length
  db.close()
  console.log(
    `restored the backup of ${backup.time}, with ${count} ${count === 1 ? 'search' : 'searches'}; ` +
      `the damaged store is kept as ${aside}`,
  )
}

export const addRestore = (program: Command): void => {
  program
    .command('restore')
    .description('put the newest backup in the place of a store that is damaged')
    .addOption(dataFolderOption())
    .action(restore)
}
