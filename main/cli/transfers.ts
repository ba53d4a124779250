import type { Command } from 'commander'
import { readable, unreadableOf, unreadableText } from '../../shared/records/unreadable.ts'
import { defaultDataFolder } from '../store/folder.ts'
import { transferFolders } from '../transfer/folders.ts'
import { NO_SEARCH, transferDetail, transferList } from '../transfer/summary.ts'
import { UserError } from './errors.ts'
import { dataFolderOption, jsonOption } from './options.ts'
import { openFolder, type SessionOptions } from './session.ts'
import { print } from './text.ts'
import { transferListText, transferText } from './transfer-text.ts'

const show = (prefix: string | undefined, options: SessionOptions & { json?: boolean }): void => {
  const db = openFolder(options)
  try {
    const summaries = transferList(db, NO_SEARCH)
    if (prefix === undefined) {
      print(options.json ? JSON.stringify(summaries) : transferListText(summaries))
      return
    }
    const unread = unreadableOf(summaries).find(({ unreadable }) => unreadable.id.startsWith(prefix))
    if (unread)
      throw new UserError(`transfer ${unread.unreadable.id} ${unreadableText(unread.unreadable.why)}`)
    const [found, ...others] = readable(summaries).filter(({ promotion }) => promotion.id.startsWith(prefix))
    if (!found || others.length > 0)
      throw new UserError(
        found
          ? `"${prefix}" needs more characters`
          : `there is no transfer "${prefix}"; "transfers" shows those there are`,
      )
    const folders = transferFolders(options.dataFolder ?? defaultDataFolder())
    const detail = transferDetail(db, folders, found.promotion.id, NO_SEARCH)!
    print(options.json ? JSON.stringify(detail) : transferText(detail))
  } finally {
    db.close()
  }
}

export const addTransfers = (program: Command): void => {
  program
    .command('transfers')
    .description('the transfers there are, or what one of them came to')
    .argument('[id]', 'the id of one, or how it begins')
    .addOption(dataFolderOption())
    .addOption(jsonOption())
    .action(show)
}
