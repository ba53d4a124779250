import { FIRST_LIST, sameList, type CandidateList } from '../list.ts'
import { href, layerOf, parseRoute, searchOf, type Route, type SearchView } from '../route.ts'

/** Where the page is: the address, read and written. */
export class Router {
  route = $state.raw<Route>(parseRoute(location.hash))
  /** What the table of candidates shows, kept while other views of the same search are looked at. */
  readonly list = $derived(this.route.view === 'candidates' ? (this.route.list ?? FIRST_LIST) : FIRST_LIST)
  /** Called when the address has changed. */
  onarrive = (): void => undefined

  /** Lists by search, as addresses name it: without a prototype, none is called as a part of that. */
  readonly #lists = Object.create(null) as Record<string, CandidateList>

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
    return list ? { view, search, layer, list } : { view, search, layer }
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
    this.route = this.#keepList(parseRoute(location.hash))
    this.onarrive()
  }

  /** Remembers what a search's table shows; the same list stays the same object, so that picking a row asks nothing anew. */
  #keepList(route: Route): Route {
    if (route.view !== 'candidates' || !route.list) return route
    const kept = this.#lists[route.search]
    if (kept && sameList(kept, route.list)) return { ...route, list: kept }
    this.#lists[route.search] = route.list
    return route
  }
}
