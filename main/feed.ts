import type { EventFrame, WorkerStatus } from '../shared/contract.ts'
import type { Database } from './store/database.ts'
import { eventsSince } from './store/events.ts'
import type { Pool } from './workers/pool.ts'

/** Frames go out at most this often, milliseconds: several events in one frame are one redraw of the page. */
const FRAME_MS = 60
/** How often another process's writes (a headless search) are looked for. */
const FOREIGN_MS = 400
/** Rows of the log read at once. */
const BATCH = 2000

export type Feed = {
  /** Stored events after `since`, in order, then new ones as they come, beside news of the workers. */
  subscribe(since: number, listener: (frame: EventFrame) => void): () => void
  close(): void
}

/** Tells subscribers what changes in the store, by whichever process, and what the workers do. */
export const createFeed = (db: Database, pool: Pick<Pool, 'status' | 'onStatus'>): Feed => {
  const subscribers = new Set<{ next: number; listener: (frame: EventFrame) => void }>()
  let timer: NodeJS.Timeout | null = null
  let workersChanged = false
  let workersTold = ''
  let version = db.version()

  const flush = (): void => {
    timer = null
    for (const subscriber of subscribers) {
      for (let more = true; more;) {
        const { events, next } = eventsSince(db, subscriber.next, BATCH)
        more = next > subscriber.next
        subscriber.next = next
        if (events.length > 0) subscriber.listener({ events })
      }
    }
    if (workersChanged) tellWorkers()
  }
  const tellWorkers = (): void => {
    workersChanged = false
    const workers = pool.status()
    const text = JSON.stringify(workers.map((worker) => ({ ...worker, seconds: Math.floor(worker.seconds) })))
    if (text === workersTold) return
    workersTold = text
    for (const { listener } of subscribers) listener(workersFrame(workers))
  }
  const schedule = (): void => {
    if (subscribers.size > 0) timer ??= setTimeout(flush, FRAME_MS)
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
    subscribe: (since, listener) => {
      const subscriber = { next: since, listener }
      subscribers.add(subscriber)
      listener(workersFrame(pool.status()))
      schedule()
      return () => subscribers.delete(subscriber)
    },
    close: () => {
      clearInterval(foreign)
      if (timer) clearTimeout(timer)
      for (const stop of unwatch) stop()
      subscribers.clear()
    },
  }
}

const workersFrame = (workers: readonly WorkerStatus[]): EventFrame => ({
  events: [{ kind: 'workers', workers }],
})
