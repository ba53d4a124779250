import type { WorkerStatus } from '../../shared/contract.ts'
import type { Link } from './link.svelte.ts'

/** What the worker processes do now. */
export class Workers {
  list = $state.raw<readonly WorkerStatus[]>([])
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  async load(): Promise<void> {
    this.list = await this.#link.request('workers.list', {})
  }
}
