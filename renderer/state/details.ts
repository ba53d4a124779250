import type { CandidateDetail } from '../../shared/contract.ts'
import type { Lineage } from './lineage.svelte.ts'
import type { Link } from './link.svelte.ts'

type Kept = { readonly status: string; readonly detail: Promise<CandidateDetail> }

/** Everything about single candidates of one search, each asked for once as long as a candidate's status stays the same. */
export class Details {
  readonly #kept = new Map<number, Kept>()
  #search = ''
  readonly #link: Link
  readonly #lineage: Lineage

  constructor(link: Link, lineage: Lineage) {
    this.#link = link
    this.#lineage = lineage
  }

  get(search: string, number: number): Promise<CandidateDetail> {
    if (search !== this.#search) this.clear()
    this.#search = search
    const status = this.#lineage.family?.get(number)?.status ?? ''
    const known = this.#kept.get(number)
    if (known?.status === status) return known.detail
    const detail = this.#link.request('candidates.get', { id: search, number })
    this.#kept.set(number, { status, detail })
    detail.catch(() => this.#kept.delete(number))
    return detail
  }

  clear(): void {
    this.#kept.clear()
  }
}
