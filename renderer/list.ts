/** What the table of candidates shows: an outcome, a filter text and an order, kept in the address. */
import type { Argument } from '../shared/contract.ts'
import { OUTCOMES, type Outcome } from './family.ts'

export const SORTS = ['number', 'average', 'status', 'seconds', 'nodes'] as const
export type CandidateList = {
  readonly outcome: Outcome | 'all'
  readonly text: string
  readonly sort: (typeof SORTS)[number]
  readonly descending: boolean
}

/** Best first. */
export const FIRST_LIST: CandidateList = { outcome: 'all', text: '', sort: 'average', descending: true }

export const parseList = (query: URLSearchParams): CandidateList => {
  const order = query.get('sort') ?? ''
  const sort = SORTS.find((name) => name === order.replace(/^-/, ''))
  return {
    outcome: OUTCOMES.find((name) => name === query.get('outcome')) ?? 'all',
    text: query.get('filter') ?? '',
    sort: sort ?? FIRST_LIST.sort,
    descending: sort ? order.startsWith('-') : FIRST_LIST.descending,
  }
}

/** Only what differs from the first list, so that addresses stay short. */
export const listQuery = (list: CandidateList): [name: string, value: string][] => {
  const query: [string, string][] = []
  if (list.outcome !== 'all') query.push(['outcome', list.outcome])
  if (list.text !== '') query.push(['filter', list.text])
  if (list.sort !== FIRST_LIST.sort || list.descending !== FIRST_LIST.descending)
    query.push(['sort', `${list.descending ? '-' : ''}${list.sort}`])
  return query
}

export const sameList = (a: CandidateList, b: CandidateList): boolean =>
  a.outcome === b.outcome && a.text === b.text && a.sort === b.sort && a.descending === b.descending

/** The list as the contract asks for it. */
export const listArgument = (
  list: CandidateList,
): Pick<Argument<'candidates.list'>, 'statuses' | 'text' | 'sort' | 'descending'> => {
  const { outcome, sort, descending } = list
  const text = list.text.trim()
  if (outcome === 'all') return { statuses: null, text, sort, descending }
  if (outcome === 'pending') return { statuses: ['queued', 'running'], text, sort, descending }
  if (outcome === 'scored' || outcome === 'duplicate' || outcome === 'failed')
    return { statuses: [outcome], text, sort, descending }
  return { statuses: ['rejected'], text: `rejected:${outcome} ${text}`.trim(), sort, descending }
}
