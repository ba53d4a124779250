import type { Search } from '../../shared/records.ts'
import { getSearch } from '../store/searches.ts'
import { summaryOf } from '../summary.ts'
import { EXIT } from './errors.ts'
import { createProgress, searchStep } from './progress.ts'
import { reportOf, reportText } from './report.ts'
import { note, print } from './text.ts'
import type { Workshop } from '../workshop.ts'

const PROGRESS_MS = 500

/**
 * Shows a search that runs in this process until it ends, then what it found. The first Ctrl-C pauses it, a second one
 * ends the program as it is. Returns the exit code.
 */
export const follow = async ({ db, pool, runner }: Workshop, id: string, json: boolean): Promise<number> => {
  let interrupted = false
  const interrupt = (): void => {
    if (interrupted) process.exit(EXIT.interrupted)
    interrupted = true
    void runner.pause(id)
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const progress = createProgress()
  const show = (): void => progress.show(searchStep(summaryOf(db, getSearch(db, id)!, pool.count)))
  show()
  const timer = setInterval(show, PROGRESS_MS)
  const search = await runner.ended(id)
  clearInterval(timer)
  progress.end()
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)

  const report = reportOf(db, search)
  print(json ? JSON.stringify(report) : reportText(report))
  if (search.state !== 'done') note(howToGoOn(search))
  if (search.state === 'done') return EXIT.done
  return search.state === 'failed' ? EXIT.failure : EXIT.interrupted
}

const howToGoOn = ({ id, state, failure }: Search): string =>
  (failure ? `The search failed: ${failure}\n` : '') +
  (state === 'running'
    ? 'Another process has taken the search over.'
    : `To go on: npm run cli -- resume ${id}`)
