/** The rows of a long list, fetched page by page as they come into view. */
import type { CandidateRow } from '../shared/contract.ts'
import { listArgument, type CandidateList } from './list.ts'
import type { Page } from './state/page.ts'

const PAGE = 100

export class Rows {
  total = $state<number | null>(null)
  /** Why the filter was not understood. */
  problem = $state<string | null>(null)
  /** Rises when rows have come. */
  version = $state(0)

  readonly #page: Page
  #search = ''
  #list: CandidateList | null = null
  #pages: (readonly CandidateRow[] | undefined)[] = []
  #asked: boolean[] = []
  /** What is here answers an earlier list. */
  #stale = false
  /** Answers to an earlier question are dropped. */
  #question = 0

  constructor(page: Page) {
    this.#page = page
  }

  /** Another list, or the same one anew. What was there stays until its replacement comes, so that nothing flickers. */
  ask(search: string, list: CandidateList, first: number, last: number): void {
    if (search !== this.#search) {
      this.#pages = []
      this.total = null
    }
    this.#stale ||= this.#list !== list
    this.#search = search
    this.#list = list
    this.#asked = []
    this.#question++
    this.need(first, last)
  }

  /** Fetches what is missing between two rows. */
  need(first: number, last: number): void {
    for (let at = Math.floor(first / PAGE); at <= Math.floor(last / PAGE); at++)
      if (!this.#asked[at]) void this.#fetch(at)
  }

  at(index: number): CandidateRow | undefined {
    void this.version
    return this.#pages[Math.floor(index / PAGE)]?.[index % PAGE]
  }

  /** Index of a candidate among the rows that are here. */
  find(number: number): number | null {
    for (const [at, rows] of this.#pages.entries()) {
      const index = rows?.findIndex((row) => row.number === number) ?? -1
      if (index >= 0) return at * PAGE + index
    }
    return null
  }

  async #fetch(at: number): Promise<void> {
    const list = this.#list
    if (!list) return
    const question = this.#question
    this.#asked[at] = true
    try {
      const { rows, total } = await this.#page.link.request('candidates.list', {
        id: this.#search,
        ...listArgument(list),
        offset: at * PAGE,
        limit: PAGE,
      })
      if (question !== this.#question) return
      if (this.#stale) this.#pages = []
      this.#stale = false
      this.#pages[at] = rows
      this.total = total
      this.problem = null
    } catch (error) {
      if (question !== this.#question) return
      this.problem = error instanceof Error ? error.message : String(error)
      this.#asked[at] = false
    }
    this.version++
  }
}
