import { setImmediate as turn } from 'node:timers/promises'
import type { EventFrame, WorkerStatus } from '../shared/contract.ts'
import type { Database } from './store/database.ts'
import { eventsSince } from './store/events.ts'
import type { Pool } from './workers/pool.ts'

/** Frames go out at most this often, milliseconds: several events in one frame are one redraw of the page. */
const FRAME_MS = 60
/** How often another process's writes (a headless search) are looked for. */
const FOREIGN_MS = 400
/** Rows of the log read at once: some milliseconds' work, then everything else has its turn. */
const BATCH = 500

type Subscriber = {
  next: number
  readonly listener: (frame: EventFrame) => void
  readonly isReady: () => boolean
}

export type Feed = {
  /**
   * Stored events after `since`, in order, then new ones as they come, beside news of the workers. Nothing is told while
   * `isReady` says no: stored events wait in the store, news of the workers is left out.
   */
  subscribe(since: number, listener: (frame: EventFrame) => void, isReady?: () => boolean): () => void
  /** Has everyone look at a search again, of which the store could not be told. */
  tellAgain(search: string): void
  close(): void
}

/** Tells subscribers what changes in the store, by whichever process, and what the workers do. */
export const createFeed = (db: Database, pool: Pick<Pool, 'status' | 'onStatus'>): Feed => {
  const subscribers = new Set<Subscriber>()
  let timer: NodeJS.Timeout | null = null
  let telling = false
  let workersChanged = false
  let workersTold = ''
  let version = db.version()

  /** Tells everyone a batch in turn, until nobody lacks anything. */
  const flush = async (): Promise<void> => {
    for (let more = true; more;) {
      more = false
      for (const subscriber of [...subscribers]) {
        if (subscribers.has(subscriber) && tellBatch(db, subscriber)) more = true
        await turn()
      }
      if (workersChanged) tellWorkers()
    }
  }
  const tellWorkers = (): void => {
    workersChanged = false
    const workers = pool.status()
    const text = JSON.stringify(workers.map((worker) => ({ ...worker, seconds: Math.floor(worker.seconds) })))
    if (text === workersTold) return
    workersTold = text
    for (const { listener, isReady } of subscribers) if (isReady()) listener(workersFrame(workers))
  }
  const schedule = (): void => {
    if (subscribers.size > 0) timer ??= setTimeout(begin, FRAME_MS)
  }
  const begin = (): void => {
    timer = null
    // What came meanwhile is told by the flush under way, or by the next one.
    if (telling) return schedule()
    telling = true
    flush()
      .catch((error: unknown) => console.error(error))
      .finally(() => (telling = false))
  }

  const unwatch = [
    db.onWrite(schedule),
    pool.onStatus(() => {
      workersChanged = true
      schedule()
    }),
  ]
  const foreign = setInterval(() => {
    const now = db.version()
    if (now !== version) schedule()
    version = now
    workersChanged = true
    schedule()
  }, FOREIGN_MS)
  foreign.unref()

  return {
    subscribe: (since, listener, isReady = () => true) => {
      const subscriber = { next: since, listener, isReady }
      subscribers.add(subscriber)
      if (isReady()) listener(workersFrame(pool.status()))
      schedule()
      return () => subscribers.delete(subscriber)
    },
    tellAgain: (search) => {
      const time = new Date().toISOString()
      // Numbered as the last one told, so that who resumes after it misses nothing.
      for (const { listener, isReady, next } of subscribers)
        if (isReady()) listener({ events: [{ kind: 'search', search, seq: next, time }] })
    },
    close: () => {
      clearInterval(foreign)
      if (timer) clearTimeout(timer)
      for (const stop of unwatch) stop()
      subscribers.clear()
    },
  }
}

/** Tells the next stored events, if any; returns whether there may be more. */
const tellBatch = (db: Database, subscriber: Subscriber): boolean => {
  if (!subscriber.isReady()) return false
  const { events, next } = eventsSince(db, subscriber.next, BATCH)
  const more = next > subscriber.next
  subscriber.next = next
  if (events.length > 0) subscriber.listener({ events })
  return more
}

const workersFrame = (workers: readonly WorkerStatus[]): EventFrame => ({
  events: [{ kind: 'workers', workers }],
})
