import type { Database } from '../store/database.ts'
import { beatLease, fenced } from '../store/leases.ts'
import { setSeconds } from '../store/searches.ts'

const BEAT_MS = 2000

/**
 * The store as the one who runs a search writes it: only while the lease is held, and always together with the
 * running time, so that time lost in a crash or spent paused is not counted.
 */
export class Journal {
  readonly #db: Database
  readonly #key: number
  readonly #holder: string
  readonly #before: number
  readonly #started = performance.now()
  readonly #beat: NodeJS.Timeout

  /** `seconds`: running time so far. `onLost` hears of a heartbeat that could not be given. */
  constructor(db: Database, key: number, holder: string, seconds: number, onLost: (error: unknown) => void) {
    this.#db = db
    this.#key = key
    this.#holder = holder
    this.#before = seconds
    this.#beat = setInterval(() => {
      try {
        this.write(() => beatLease(db, key, holder))
      } catch (error) {
        onLost(error)
      }
    }, BEAT_MS)
  }

  get seconds(): number {
    return this.#before + (performance.now() - this.#started) / 1000
  }

  /** All of `action` or nothing. Throws LeaseLost when another process runs the search by now. */
  write<T>(action: () => T): T {
    return fenced(this.#db, this.#key, this.#holder, () => {
      const result = action()
      setSeconds(this.#db, this.#key, this.seconds)
      return result
    })
  }

  close(): void {
    clearInterval(this.#beat)
  }
}
