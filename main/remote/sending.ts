/** What a machine sends of a transfer that is under way: news of its steps, and its newest state. */
import fs from 'node:fs'
import path from 'node:path'
import type { TransferProgress } from '../../shared/transfer.ts'
import type { RemoteNews } from './messages.ts'
import { markOfState } from './state.ts'

const MOST_PICTURE = 4 * 2 ** 20

/** What hosts are told of a step; its picture is read at once, since the next one takes its place. */
export const progressNews = (
  { step, steps, point, picture }: TransferProgress,
  folder: string,
): RemoteNews => {
  const file = picture === null ? null : path.join(folder, picture)
  const bytes = file !== null && fs.existsSync(file) ? fs.readFileSync(file) : null
  const small = picture !== null && bytes !== null && bytes.length <= MOST_PICTURE
  return {
    kind: 'progress',
    step,
    steps,
    point,
    picture: small ? { name: picture, base64: bytes.toString('base64') } : null,
  }
}

type Sending = {
  /** False where there is nothing to send. */
  readonly send: (step: number) => Promise<boolean>
  readonly folder: string
  readonly step: number
  readonly everyMs: number
  readonly sent: () => void
}

/** Sends a run's state when it has changed, not too often, and never two at once. */
export class StateSender {
  readonly #options: Sending
  #under: Promise<void> = Promise.resolve()
  #busy = false
  #mark: string
  #at = -Infinity
  #step: number

  constructor(options: Sending) {
    this.#options = options
    this.#mark = markOfState(options.folder)
    this.#step = options.step
  }

  see(step: number): void {
    this.#step = step
    if (!this.#busy && performance.now() - this.#at > this.#options.everyMs) this.#under = this.#now()
  }

  /** `wanted`: the run is to go on elsewhere. */
  async end(wanted: boolean): Promise<void> {
    await this.#under
    if (wanted) await this.#now()
  }

  async #now(): Promise<void> {
    const mark = markOfState(this.#options.folder)
    if (mark === this.#mark) return
    this.#busy = true
    try {
      this.#at = performance.now()
      this.#mark = mark
      if (await this.#options.send(this.#step)) this.#options.sent()
    } catch {
      // A file that was being replaced: the next state is sent.
    } finally {
      this.#busy = false
    }
  }
}
