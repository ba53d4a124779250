import type { Command } from 'commander'
import { readable, unreadableOf } from '../../shared/records/unreadable.ts'
import { searchSummaries } from '../summary.ts'
import { dataFolderOption, jsonOption } from './options.ts'
import { stateText } from './report.ts'
import { openFolder, type SessionOptions } from './session.ts'
import { percent, print, shortened, table, unreadableLine } from './text.ts'

const NAME = 40

const list = (options: SessionOptions & { json?: boolean }): void => {
  const db = openFolder(options)
  try {
    const summaries = searchSummaries(db, 1)
    if (options.json) return print(JSON.stringify(summaries))
    if (summaries.length === 0) return print('no searches yet: npm run cli -- search --data shapes')
    const rows = readable(summaries).map(({ search, funnel, best }) => [
      search.id,
      shortened(search.name, NAME),
      search.createdAt.slice(0, 16).replace('T', ' '),
      String(funnel.generated),
      best ? percent(best.average) : '-',
      stateText(search),
    ])
    if (rows.length > 0)
      print(table(['id', 'name', 'made (UTC)', 'candidates', 'best', 'state'], rows, [3, 4]))
    for (const one of unreadableOf(summaries)) print(unreadableLine(one))
  } finally {
    db.close()
  }
}

export const addList = (program: Command): void => {
  program
    .command('list')
    .description('the searches there are')
    .addOption(dataFolderOption())
    .addOption(jsonOption())
    .action(list)
}
