import type { LineageDrawing } from '../drawing.ts'
import { FIRST_LIST, sameList, type CandidateList } from '../list.ts'
import { href, layerOf, parseRoute, searchOf, type Route, type SearchView } from '../route.ts'

/** Without a prototype: no search's name in an address is taken for a part of that. */
const byName = <T>(): Record<string, T> => Object.create(null) as Record<string, T>

/** Where the page is: the address, read and written. */
export class Router {
  route = $state.raw<Route>(parseRoute(location.hash))
  /** What the table of candidates shows, kept while other views of the same search are looked at. */
  readonly list = $derived(this.route.view === 'candidates' ? (this.route.list ?? FIRST_LIST) : FIRST_LIST)
  /** Called when the address has changed. */
  onarrive = (): void => undefined

  /** What tables and drawings of a search show, for coming back to them from another view. */
  readonly #lists = byName<CandidateList>()
  readonly #drawings = byName<LineageDrawing | undefined>()

  /** Follows the address from now on; returns what ends that. */
  start(): () => void {
    const arrive = (): void => this.#arrive()
    window.addEventListener('hashchange', arrive)
    arrive()
    return () => window.removeEventListener('hashchange', arrive)
  }

  go(route: Route, replace = false): void {
    if (replace) {
      history.replaceState(null, '', href(route))
      this.#arrive()
    } else location.hash = href(route)
  }

  open(search: string, layer: number): void {
    this.go({ view: 'layer', search, layer })
  }

  /** The route of a view, with what is picked and filtered in the search already. */
  at(view: SearchView, search: string): Route {
    const layer = searchOf(this.route) === search ? layerOf(this.route) : null
    const list = view === 'candidates' ? this.#lists[search] : undefined
    const drawing = view === 'lineage' ? this.#drawings[search] : undefined
    return { view, search, layer, ...(list ? { list } : {}), ...(drawing ? { drawing } : {}) }
  }

  show(view: SearchView, search: string): void {
    this.go(this.at(view, search))
  }

  /** Narrows or orders the table of candidates, from whichever view. */
  filter(search: string, list: Partial<CandidateList>, replace = false): void {
    const layer = searchOf(this.route) === search ? layerOf(this.route) : null
    const before = this.route.view === 'candidates' ? this.list : FIRST_LIST
    this.go({ view: 'candidates', search, layer, list: { ...before, ...list } }, replace)
  }

  #arrive(): void {
    this.route = this.#keep(parseRoute(location.hash))
    this.onarrive()
  }

  /** Remembers what is shown of a search; the same list stays the same object, so that picking a row asks nothing anew. */
  #keep(route: Route): Route {
    if (route.view === 'lineage') this.#drawings[route.search] = route.drawing
    if (route.view !== 'candidates' || !route.list) return route
    const kept = this.#lists[route.search]
    if (kept && sameList(kept, route.list)) return { ...route, list: kept }
    this.#lists[route.search] = route.list
    return route
  }
}
