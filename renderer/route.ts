/** The address after the `#`: which view, of which search, and what is picked in it. Every view can be linked to. */
import { drawingQuery, FIRST_DRAWING, parseDrawing, type LineageDrawing } from './drawing.ts'
import { FIRST_LIST, listQuery, parseList, type CandidateList } from './list.ts'

export const SEARCH_VIEWS = ['live', 'lineage', 'candidates', 'pareto'] as const
export type SearchView = (typeof SEARCH_VIEWS)[number]

export type Route =
  | { readonly view: 'home' }
  /** `from`: a search whose settings are duplicated. */
  | { readonly view: 'new'; readonly from: string | null }
  | { readonly view: 'settings' }
  /** null: the queue. */
  | { readonly view: 'transfer'; readonly promotion: string | null }
  | {
      readonly view: SearchView
      readonly search: string
      readonly layer: number | null
      /** What the table of candidates shows. */
      readonly list?: CandidateList
      /** How the lineage is drawn, where that is not as at first. */
      readonly drawing?: LineageDrawing
    }
  | { readonly view: 'layer'; readonly search: string; readonly layer: number }
  | { readonly view: 'unknown'; readonly address: string }

const whole = (text: string | null | undefined): number | null =>
  text !== null && text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null

/** A route from `location.hash`; an address that leads nowhere is `unknown`, never an error. */
export const parseRoute = (hash: string): Route => {
  const address = hash.replace(/^#/, '')
  const [path = '', query = ''] = address.split('?')
  const [first = '', id, second = 'live', third] = path.split('/').filter(Boolean).map(decodeSegment)
  const picked = new URLSearchParams(query)
  if (first === '') return { view: 'home' }
  if (first === 'new') return { view: 'new', from: picked.get('from') }
  if (first === 'settings') return { view: 'settings' }
  if (first === 'transfer') return { view: 'transfer', promotion: id ?? null }
  if (first === 'search' && id) {
    const opened = whole(third)
    if (second === 'layer' && opened !== null) return { view: 'layer', search: id, layer: opened }
    const view = SEARCH_VIEWS.find((name) => name === second)
    const layer = whole(picked.get('layer'))
    if (view === 'candidates') return { view, search: id, layer, list: parseList(picked) }
    if (view === 'lineage' && drawingQuery(parseDrawing(picked)).length > 0)
      return { view, search: id, layer, drawing: parseDrawing(picked) }
    if (view) return { view, search: id, layer }
  }
  return { view: 'unknown', address }
}

const decodeSegment = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a route, with its `#`. */
export const href = (route: Route): string => {
  switch (route.view) {
    case 'home':
      return '#/'
    case 'new':
      return route.from === null ? '#/new' : `#/new?from=${encodeURIComponent(route.from)}`
    case 'settings':
      return '#/settings'
    case 'transfer':
      return route.promotion === null ? '#/transfer' : `#/transfer/${encodeURIComponent(route.promotion)}`
    case 'layer':
      return `#/search/${encodeURIComponent(route.search)}/layer/${route.layer}`
    case 'unknown':
      return `#${route.address}`
    default: {
      const query = new URLSearchParams([
        ...listQuery(route.list ?? FIRST_LIST),
        ...drawingQuery(route.drawing ?? FIRST_DRAWING),
      ])
      if (route.layer !== null) query.set('layer', String(route.layer))
      const picked = query.size > 0 ? `?${query.toString()}` : ''
      return `#/search/${encodeURIComponent(route.search)}/${route.view}${picked}`
    }
  }
}

/** The search a route speaks of. */
export const searchOf = (route: Route): string | null => ('search' in route ? route.search : null)
/** The layer a route picks. */
export const layerOf = (route: Route): number | null => ('layer' in route ? route.layer : null)
