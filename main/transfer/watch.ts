import type { TransferPoint, TransferProgress } from '../../shared/transfer.ts'

/** Between two points, how far a run has come is written this often. */
const STEP_SECONDS = 20

export type News = { readonly step: number; readonly point: TransferPoint | null; readonly seconds: number }

/** How far a run has come, and its seconds of work, those of earlier attempts included. */
export class Watch {
  readonly #before: number
  #step: number
  #started: number | null = null
  #told = performance.now()

  constructor({ seconds, step }: { readonly seconds: number; readonly step: number }) {
    this.#before = seconds
    this.#step = step
  }

  start(): void {
    this.#started ??= performance.now()
  }

  now(): { step: number; seconds: number } {
    const seconds = this.#started === null ? 0 : (performance.now() - this.#started) / 1000
    return { step: this.#step, seconds: this.#before + seconds }
  }

  /** What is to be written of a worker's news; null: nothing now. */
  see({ step, point, picture }: TransferProgress): News | null {
    this.#step = step
    const late = performance.now() - this.#told > STEP_SECONDS * 1000
    if (!point && picture === null && !late) return null
    this.#told = performance.now()
    return { ...this.now(), point }
  }
}
