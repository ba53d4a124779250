import type { SearchSummary } from '../../shared/contract.ts'
import { readable, unreadableOf, type Unreadable } from '../../shared/records/unreadable.ts'
import { searchOf } from '../route.ts'
import type { Link } from './link.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import type { Router } from './router.svelte.ts'
import { throttled } from './throttle.ts'

/** A search's summary is asked for again at most this often while events pour in, milliseconds. */
const SUMMARY_EVERY = 400
/** The same while the workers train without anything to record: time goes on. */
const TICK_EVERY = 2000

/** The searches of the store by their summaries, kept up to date. */
export class Searches {
  /** Newest first; null until the first answer. */
  list = $state.raw<readonly SearchSummary[] | null>(null)
  /** Those that can't be read. */
  unreadable = $state.raw<readonly Unreadable[]>([])
  /** The search of the view, else the one looked at last, else the newest. */
  readonly current = $derived.by(() => {
    const named = searchOf(this.#router.route)
    const wanted = named ?? this.#last
    return this.list?.find(({ search }) => search.id === wanted) ?? (named ? null : this.list?.[0])
  })
  /** Called when a summary has come. */
  onchange = (_id: string): void => undefined

  /** The search looked at last. */
  #last = $state<string | null>(null)
  readonly #link: Link
  readonly #router: Router
  readonly #notices: Notices
  readonly #soon = throttled(SUMMARY_EVERY, (id) => void this.#ask(id))
  readonly #later = throttled(TICK_EVERY, (id) => void this.#ask(id))

  constructor(link: Link, router: Router, notices: Notices) {
    this.#link = link
    this.#router = router
    this.#notices = notices
  }

  async load(): Promise<void> {
    const entries = await this.#link.request('searches.list', {})
    this.list = newestFirst(readable(entries))
    this.unreadable = unreadableOf(entries)
  }

  visit(id: string | null): void {
    this.#last = id ?? this.#last
  }

  has(id: string): boolean {
    return this.list?.some(({ search }) => search.id === id) ?? false
  }

  /** Something of a search was recorded. */
  changed(id: string): void {
    this.#soon(id)
  }

  /** A worker trains for a search. */
  worked(id: string): void {
    this.#later(id)
  }

  async control(id: string, action: 'pause' | 'resume' | 'stop'): Promise<void> {
    const summary = await this.#notices.attempt(() => this.#link.request(`searches.${action}`, { id }))
    if (summary) this.put(summary)
  }

  /** Takes in a search made here, known at once, before its first event, and shows it. */
  created(summary: SearchSummary): void {
    this.put(summary)
    this.#router.go({ view: 'live', search: summary.search.id, layer: null })
  }

  put(summary: SearchSummary): void {
    const { id, name, state } = summary.search
    const before = this.list?.find(({ search }) => search.id === id)
    const others = (this.list ?? []).filter(({ search }) => search.id !== id)
    this.list = newestFirst([summary, ...others])
    if (before?.search.state === 'running' && state === 'done')
      this.#notices.note('done', `“${name}” has finished.`)
    this.onchange(id)
  }

  async #ask(id: string): Promise<void> {
    try {
      this.put(await this.#link.request('searches.get', { id }))
    } catch {
      // The next event or reconnection asks again.
    }
  }
}

const newestFirst = (searches: readonly SearchSummary[]): SearchSummary[] =>
  [...searches].sort((a, b) => b.search.createdAt.localeCompare(a.search.createdAt))
