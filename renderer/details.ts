import type { CandidateDetail } from '../shared/contract.ts'

type Kept = { readonly status: string; readonly detail: Promise<CandidateDetail> }

/** Answers about single candidates, asked for once as long as a candidate's status stays the same. */
export class Details {
  readonly #kept = new Map<string, Kept>()

  get(key: string, status: string, ask: () => Promise<CandidateDetail>): Promise<CandidateDetail> {
    const known = this.#kept.get(key)
    if (known?.status === status) return known.detail
    const detail = ask()
    this.#kept.set(key, { status, detail })
    detail.catch(() => this.#kept.delete(key))
    return detail
  }

  clear(): void {
    this.#kept.clear()
  }
}
