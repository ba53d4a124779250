/**
 * What the page knows and can do, a class for each concern. Components get it by Svelte's context (`usePage`), so that
 * a test can give them one of its own.
 */
import { getContext } from 'svelte'
import { searchOf } from '../route.ts'
import { Transfers } from '../transfer/transfers.svelte.ts'
import { Appearance } from './appearance.svelte.ts'
import { Clock } from './clock.svelte.ts'
import { Details } from './details.ts'
import { Exporting } from './exporting.svelte.ts'
import { Feed } from './feed.svelte.ts'
import { Lineage } from './lineage.svelte.ts'
import { Link, type Connect } from './link.svelte.ts'
import { Notices } from './notices.svelte.ts'
import { Router } from './router.svelte.ts'
import { Searches } from './searches.svelte.ts'
import { Selection } from './selection.svelte.ts'
import { Workers } from './workers.svelte.ts'

export class Page {
  readonly notices = new Notices()
  readonly appearance = new Appearance()
  readonly clock = new Clock()
  readonly exporting = new Exporting()
  readonly router = new Router()
  readonly selection = new Selection(this.router)
  readonly link: Link
  readonly searches: Searches
  readonly workers: Workers
  readonly lineage: Lineage
  readonly details: Details
  readonly transfers: Transfers
  readonly feed = new Feed(this)

  constructor(connect: Connect) {
    this.link = new Link(connect)
    this.searches = new Searches(this.link, this.router, this.notices)
    this.workers = new Workers(this.link)
    this.lineage = new Lineage(this.link)
    this.details = new Details(this.link, this.lineage)
    this.transfers = new Transfers(this.link, this.router, this.notices)
    this.link.onopen = () => void this.feed.load()
    this.router.onarrive = () => this.#arrived()
    this.searches.onchange = (id) => {
      if (searchOf(this.router.route) === id) this.#loadFamily()
    }
  }

  /** Follows address, clock and system from now on; returns what ends that. */
  start(): () => void {
    const ends = [this.router.start(), this.clock.start(), this.appearance.start()]
    return () => ends.forEach((end) => end())
  }

  #arrived(): void {
    this.selection.hovered = null
    this.searches.visit(searchOf(this.router.route))
    if (this.searches.list) this.#loadFamily()
  }

  #loadFamily(): void {
    if (this.link.connection.state === 'open') void this.notices.attempt(() => this.feed.loadFamily())
  }
}

const KEY = Symbol('page')

/** The context in which components find a page: for `mount`. */
export const pageContext = (page: Page): Map<unknown, unknown> => new Map([[KEY, page]])

/** The page of the component that is being set up. */
export const usePage = (): Page => {
  const page = getContext<Page | undefined>(KEY)
  if (!page) throw new Error('usePage: needs a page in the context (mount with pageContext), got none')
  return page
}
