import type { Replies, RequestName } from '../../shared/contract.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { REPLIES } from '../../shared/replies.ts'
import type { Api } from '../api.ts'
import type { Finished, Work } from './messages.ts'

/** How often the progress of what runs is looked at, milliseconds, while its events come. */
const EVERY_MS = 2000

/**
 * Tells of each search that comes to its end from now on, once, and of what runs meanwhile. Returns what ends the watching.
 */
export const watchWork = async (
  api: Pick<Api, 'request' | 'subscribe'>,
  tell: (news: Work | ({ readonly kind: 'finished' } & Finished)) => void,
): Promise<() => void> => {
  const ask = async <N extends RequestName>(name: N, argument: object): Promise<Replies[N]> => {
    const reply = await api.request({ id: 0, name, argument })
    if (!reply.ok) throw new Error(reply.message)
    return REPLIES[name].parse(reply.value)
  }
  const { seq } = await ask('app.info', {})
  const known = new Map(
    readable(await ask('searches.list', {})).map((summary) => [summary.search.id, summary]),
  )
  let told = ''
  const tellWork = (): void => {
    const running = [...known.values()].filter(({ search }) => search.state === 'running')
    const progress = running.length === 1 ? (running[0]!.progress ?? null) : null
    const work: Work = {
      kind: 'work',
      running: running.length,
      progress: progress === null ? null : Math.round(100 * progress) / 100,
    }
    if (JSON.stringify(work) !== told) tell(work)
    told = JSON.stringify(work)
  }
  tellWork()

  const changed = new Set<string>()
  let timer: NodeJS.Timeout | null = null
  const look = async (): Promise<void> => {
    timer = null
    const ids = [...changed]
    changed.clear()
    for (const id of ids) {
      const now = await ask('searches.get', { id })
      const before = known.get(id)?.search.state
      known.set(id, now)
      const { name, state } = now.search
      if (before !== state && (state === 'done' || state === 'failed'))
        tell({ kind: 'finished', id, name, state })
    }
    tellWork()
  }
  const stop = api.subscribe(seq, ({ events }) => {
    let soon = false
    for (const event of events)
      if (event.kind === 'search' || event.kind === 'candidate') {
        changed.add(event.search)
        soon ||= event.kind === 'search'
      }
    if (changed.size === 0) return
    if (soon && timer) clearTimeout(timer)
    if (soon || !timer) timer = setTimeout(() => void look().catch(() => undefined), soon ? 0 : EVERY_MS)
  })
  return () => {
    if (timer) clearTimeout(timer)
    stop()
  }
}
