import type { AppEvent, AppInfo } from '../../shared/contract.ts'
import { searchOf } from '../route.ts'
import type { Page } from './page.ts'

/** Fills the page after every connection and passes the program's events on to the concerns that keep what they tell. */
export class Feed {
  info = $state.raw<AppInfo | null>(null)
  /** Why nothing can be shown at all, as long as that is so. */
  problem = $state<string | null>(null)

  /** Sequence number of the newest event seen; -1 before the first subscription. */
  #seq = -1
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** Loads everything anew if the program's store is another one than before, else what was missed. */
  async load(): Promise<void> {
    const { link, notices, searches } = this.#page
    try {
      // Asked for first: its sequence number is no newer than what the other answers hold. Its findings take a while.
      const [info] = await Promise.all([link.request('app.info', {}), this.#overview()])
      this.#follow(info)
      await this.loadFamily()
      this.problem = null
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (searches.list === null) this.problem = message
      else notices.note('error', message)
    }
  }

  /** Fetches the family of the search at hand where it is another one than before. */
  async loadFamily(): Promise<void> {
    const { router, searches, lineage } = this.#page
    const id = searchOf(router.route)
    if (id !== null) await lineage.load(searches.has(id) ? id : null)
  }

  async #overview(): Promise<void> {
    const { searches, workers, transfers } = this.#page
    await Promise.all([searches.load(), workers.load(), transfers.load()])
    await this.loadFamily()
  }

  /** Hears of what happens from here on; a store whose events are behind ours is another one. */
  #follow(info: AppInfo): void {
    const known = this.#seq
    this.info = info
    if (known >= 0 && info.seq >= known) return
    if (known >= 0) {
      this.#page.lineage.forget()
      this.#page.details.clear()
    }
    this.#seq = info.seq
    this.#page.link.subscribe(info.seq, (frame) => frame.events.forEach((event) => this.#take(event)))
  }

  #take(event: AppEvent): void {
    const { searches, lineage, transfers, workers } = this.#page
    if (event.kind === 'workers') {
      workers.list = event.workers
      transfers.heed(event.workers)
      for (const { search } of event.workers) if (search !== null) searches.worked(search)
      return
    }
    this.#seq = Math.max(this.#seq, event.seq)
    // A search that begins or ends may keep transfers waiting, or no longer.
    if (event.kind !== 'candidate') transfers.changed()
    if (event.kind === 'transfer') return
    searches.changed(event.search)
    if (event.kind === 'candidate') lineage.put(event.search, event.node)
  }
}
