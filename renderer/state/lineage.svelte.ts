import type { LineageNode } from '../../shared/contract.ts'
import { Family } from '../family.ts'
import type { Link } from './link.svelte.ts'

/** Candidates asked for at once: what keeps the program, and the page, from nothing else for long. */
const PAGE = 2000
/** Pages asked for at once: one is read while the next is made. */
const AHEAD = 3

/** The candidates of the search at hand: fetched once a search, then kept up to date by events. */
export class Lineage {
  /** null until they are here. Whatever reads a family is run again when the family changes. */
  family = $state.raw<Family | null>(null)

  /** Candidates that are here while a family is on its way. */
  arrived = $state(0)

  /** The search whose family is here or on its way. */
  #search: string | null = null
  /** Candidates that came while their family was being fetched. */
  #early: LineageNode[] = []
  #frame = 0
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  /** Makes sure that a search's family is here; null: of none. */
  async load(search: string | null): Promise<void> {
    if (search === this.#search) return
    this.forget()
    if (search === null) return
    this.#search = search
    try {
      const family = new Family()
      // Numbers run on without gaps, so that the next pages can be asked for before this one is here.
      const page = (at: number): Promise<readonly LineageNode[]> => {
        const asked = this.#link.request('searches.lineage', {
          id: search,
          after: at * PAGE - 1,
          limit: PAGE,
        })
        // Whoever awaits it hears of a failure; one that nobody awaits any longer is none.
        asked.catch(() => undefined)
        return asked
      }
      const ahead = Array.from({ length: AHEAD }, (_, at) => page(at))
      for (let next = AHEAD; ; next++) {
        const nodes = await ahead.shift()!
        if (this.#search !== search) return
        for (const node of nodes) family.put(node)
        this.arrived = family.size
        if (nodes.length < PAGE) break
        ahead.push(page(next))
      }
      for (const node of this.#early) family.put(node)
      this.family = family
    } catch (error) {
      if (this.#search === search) this.#search = null
      throw error
    }
  }

  forget(): void {
    this.#search = null
    this.family = null
    this.arrived = 0
    this.#early = []
  }

  put(search: string, node: LineageNode): void {
    if (search !== this.#search) return
    if (!this.family) return void this.#early.push(node)
    this.family.put(node)
    // Many events in one frame are one redraw.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      this.family?.changed()
    })
  }
}
