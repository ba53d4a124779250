/** What the page knows, fed by the replies of the contract and by events with a sequence number. */
import type {
  AppEvent,
  AppInfo,
  CandidateDetail,
  LineageNode,
  SearchSummary,
  WorkerStatus,
} from '../shared/contract.ts'
import type { ExportTarget } from '../shared/export/index.ts'
import type { Graph } from '../shared/graph.ts'
import { connect, type Api } from './api.ts'
import { Details } from './details.ts'
import { Family } from './family.ts'
import { FIRST_LIST, sameList, type CandidateList } from './list.ts'
import { Notices } from './notices.svelte.ts'
import { href, layerOf, parseRoute, searchOf, type Route, type SearchView } from './route.ts'
import type { Connection } from './socket.ts'
import { keepTheme, onSystemTheme, shownTheme, storedTheme, type Theme } from './theme.ts'
import { throttled } from './throttle.ts'
import { Transfers } from './transfer/transfers.svelte.ts'

/** At most this often is a search's summary asked for again while events pour in, milliseconds. */
const SUMMARY_EVERY = 400
/** And while the workers train without anything to record: time goes on. */
const TICK_EVERY = 2000

export type ExportedLayer = {
  readonly graph: Graph
  readonly label: string
  readonly target: ExportTarget
}
export class PageState {
  connection = $state.raw<Connection>({ state: 'connecting' })
  info = $state.raw<AppInfo | null>(null)
  /** Newest first; null until the first answer. */
  searches = $state.raw<readonly SearchSummary[] | null>(null)
  workers = $state.raw<readonly WorkerStatus[]>([])
  /** Why nothing can be shown at all, as long as that is so. */
  problem = $state<string | null>(null)
  route = $state.raw<Route>(parseRoute(location.hash))
  readonly notices = new Notices()
  /** The candidates of the search at hand. `version` rises with every change inside. */
  family = $state.raw<Family | null>(null)
  version = $state(0)
  /** Number of the layer under the pointer, in whichever view. */
  hovered = $state<number | null>(null)
  theme = $state<Theme>(storedTheme())
  now = $state(Date.now())

  readonly #systemTheme = $state({ changes: 0 })
  readonly shownTheme = $derived.by(() => {
    void this.#systemTheme.changes
    return shownTheme(this.theme)
  })
  /** The search of the view, else the one looked at last, else the newest. */
  readonly search = $derived.by(() => {
    const wanted = searchOf(this.route) ?? this.#last
    return (
      this.searches?.find((s) => s.search.id === wanted) ?? (searchOf(this.route) ? null : this.searches?.[0])
    )
  })
  readonly selected = $derived(layerOf(this.route))
  /** What the table of candidates shows, kept while other views of the same search are looked at. */
  readonly list = $derived(this.route.view === 'candidates' ? (this.route.list ?? FIRST_LIST) : FIRST_LIST)

  /** By search, as addresses name it: without a prototype, none is called as a part of that. */
  readonly #lists = Object.create(null) as Record<string, CandidateList>
  #last = $state<string | null>(null)
  #api: Api
  #seq = -1
  #familyOf: string | null = null
  /** Candidates that came while their family was being fetched. */
  #early: LineageNode[] = []
  readonly #details = new Details()
  readonly transfers = new Transfers(this)
  /** A layer whose source text is looked at, to be taken elsewhere. */
  exported = $state.raw<ExportedLayer | null>(null)
  readonly #refresh = throttled(SUMMARY_EVERY, (id) => void this.#ask(id))
  readonly #tick = throttled(TICK_EVERY, (id) => void this.#ask(id))
  #frame = 0

  constructor() {
    this.#api = connect((now) => {
      this.connection = now
      // The first call comes while the api is being made.
      if (now.state === 'open') queueMicrotask(() => void this.#load())
    })
    window.addEventListener('hashchange', () => this.#arrive())
    onSystemTheme(() => this.#systemTheme.changes++)
    setInterval(() => (this.now = Date.now()), 1000)
    this.#arrive()
  }

  get request(): Api['request'] {
    return this.#api.request
  }

  retry(): void {
    this.#api.retry()
  }

  go(route: Route, replace = false): void {
    if (replace) {
      history.replaceState(null, '', href(route))
      this.#arrive()
    } else location.hash = href(route)
  }

  /** Picks a layer in whatever view is open (null: none); every view shows it. */
  pick(layer: number | null): void {
    const route = this.route
    if (!('layer' in route)) return
    if (route.view === 'layer') {
      if (layer !== null) this.go({ ...route, layer })
    } else this.go({ ...route, layer }, true)
  }

  open(search: string, layer: number): void {
    this.go({ view: 'layer', search, layer })
  }

  /** The route of a view, with what is picked and filtered in the search already. */
  at(view: SearchView, search: string): Route {
    const layer = searchOf(this.route) === search ? this.selected : null
    const list = view === 'candidates' ? this.#lists[search] : undefined
    return list ? { view, search, layer, list } : { view, search, layer }
  }

  show(view: SearchView, search: string): void {
    this.go(this.at(view, search))
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    keepTheme(theme)
  }

  /** Narrows or orders the table of candidates, from whichever view. */
  filter(search: string, list: Partial<CandidateList>, replace = false): void {
    const layer = searchOf(this.route) === search ? this.selected : null
    const before = this.route.view === 'candidates' ? this.list : FIRST_LIST
    this.go({ view: 'candidates', search, layer, list: { ...before, ...list } }, replace)
  }

  async control(id: string, action: 'pause' | 'resume' | 'stop'): Promise<void> {
    const summary = await this.notices.attempt(() => this.request(`searches.${action}`, { id }))
    if (summary) this.#replace(summary)
  }

  /** Everything about one candidate; asked for once as long as its status stays the same. */
  detail(search: string, number: number): Promise<CandidateDetail> {
    const status = this.family?.get(number)?.status ?? ''
    return this.#details.get(`${search}/${number}`, status, () =>
      this.request('candidates.get', { id: search, number }),
    )
  }

  /** After every (re)connection: everything anew if the program's store is another one, else what was missed. */
  async #load(): Promise<void> {
    try {
      // Asked for first: its sequence number is no newer than what the other answers hold. Its findings take a while.
      const [info] = await Promise.all([this.request('app.info', {}), this.#overview()])
      this.#follow(info)
      await this.#loadFamily()
      this.problem = null
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (this.searches === null) this.problem = message
      else this.notices.note('error', message)
    }
  }

  async #overview(): Promise<void> {
    const [searches, workers] = await Promise.all([
      this.request('searches.list', {}),
      this.request('workers.list', {}),
      this.transfers.load(),
    ])
    this.searches = newestFirst(searches)
    this.workers = workers
    await this.#loadFamily()
  }

  /** Hears of what happens from here on; a store whose events are behind ours is another one. */
  #follow(info: AppInfo): void {
    const known = this.#seq
    this.info = info
    if (known >= 0 && info.seq >= known) return
    if (known >= 0) {
      this.#familyOf = null
      this.#details.clear()
    }
    this.#seq = info.seq
    this.#api.subscribe(info.seq, (frame) => this.#fold(frame.events))
  }

  #arrive(): void {
    this.route = this.#keepList(parseRoute(location.hash))
    this.hovered = null
    this.#last = searchOf(this.route) ?? this.#last
    if (this.connection.state === 'open' && this.searches) void this.notices.attempt(() => this.#loadFamily())
  }

  /** Remembers what a search's table shows; the same list stays the same object, so that picking a row asks nothing anew. */
  #keepList(route: Route): Route {
    if (route.view !== 'candidates' || !route.list) return route
    const kept = this.#lists[route.search]
    if (kept && sameList(kept, route.list)) return { ...route, list: kept }
    this.#lists[route.search] = route.list
    return route
  }

  async #loadFamily(): Promise<void> {
    const id = searchOf(this.route)
    if (id === null || id === this.#familyOf) return
    this.family = null
    this.#details.clear()
    this.#early = []
    if (!this.searches?.some((s) => s.search.id === id)) return
    this.#familyOf = id
    try {
      const nodes = await this.request('searches.lineage', { id })
      if (this.#familyOf !== id) return
      this.family = new Family([...nodes, ...this.#early])
      this.version++
    } catch (error) {
      if (this.#familyOf === id) this.#familyOf = null
      throw error
    }
  }

  #fold(events: readonly AppEvent[]): void {
    for (const event of events) {
      if (event.kind === 'workers') {
        this.workers = event.workers
        this.transfers.heed(event.workers)
        for (const { search } of event.workers) if (search !== null) this.#tick(search)
        continue
      }
      this.#seq = Math.max(this.#seq, event.seq)
      if (event.kind === 'transfer') {
        this.transfers.changed()
        continue
      }
      this.#refresh(event.search)
      // A search that begins or ends may keep transfers waiting, or no longer.
      if (event.kind === 'search') this.transfers.changed()
      if (event.kind === 'candidate' && event.search === this.#familyOf) {
        if (this.family) this.family.put(event.node)
        else this.#early.push(event.node)
        // Many events in one frame are one redraw.
        this.#frame ||= requestAnimationFrame(() => {
          this.#frame = 0
          this.version++
        })
      }
    }
  }

  async #ask(id: string): Promise<void> {
    try {
      this.#replace(await this.request('searches.get', { id }))
    } catch {
      // The next event or reconnection asks again.
    }
  }

  #replace(summary: SearchSummary): void {
    const others = (this.searches ?? []).filter((s) => s.search.id !== summary.search.id)
    const before = this.searches?.find((s) => s.search.id === summary.search.id)
    this.searches = newestFirst([summary, ...others])
    if (before?.search.state === 'running' && summary.search.state === 'done')
      this.notices.note('done', `“${summary.search.name}” has finished.`)
    if (searchOf(this.route) === summary.search.id && this.connection.state === 'open')
      void this.notices.attempt(() => this.#loadFamily())
  }

  /** A search made here: known at once, before its first event. */
  created(summary: SearchSummary): void {
    this.#replace(summary)
    this.go({ view: 'live', search: summary.search.id, layer: null })
  }
}

const newestFirst = (searches: readonly SearchSummary[]): SearchSummary[] =>
  [...searches].sort((a, b) => b.search.createdAt.localeCompare(a.search.createdAt))

export const page = new PageState()
