import type { Replies, RequestName } from '../../shared/contract.ts'
import type { SearchState } from '../../shared/records.ts'
import { REPLIES } from '../../shared/replies.ts'
import type { Api } from '../api.ts'

export type Finished = { readonly id: string; readonly name: string; readonly state: 'done' | 'failed' }

/** Tells of each search that comes to its end from now on, once. Returns what ends the watching. */
export const watchFinished = async (
  api: Pick<Api, 'request' | 'subscribe'>,
  tell: (search: Finished) => void,
): Promise<() => void> => {
  const ask = async <N extends RequestName>(name: N, argument: object): Promise<Replies[N]> => {
    const reply = await api.request({ id: 0, name, argument })
    if (!reply.ok) throw new Error(reply.message)
    return REPLIES[name].parse(reply.value)
  }
  const { seq } = await ask('app.info', {})
  const known = new Map<string, SearchState>(
    (await ask('searches.list', {})).map(({ search }) => [search.id, search.state]),
  )
  return api.subscribe(seq, ({ events }) => {
    const changed = new Set(events.flatMap((event) => (event.kind === 'search' ? [event.search] : [])))
    for (const id of changed)
      void ask('searches.get', { id }).then(({ search: { name, state } }) => {
        const before = known.get(id)
        known.set(id, state)
        if (before !== state && (state === 'done' || state === 'failed')) tell({ id, name, state })
      })
  })
}
