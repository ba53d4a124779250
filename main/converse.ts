import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Api } from './api.ts'

/** A page's end of the line: a WebSocket of `ws`, or a page behind the desktop window. */
export type PageSocket = {
  readonly OPEN: number
  readonly readyState: number
  /** What was sent and the page has not taken. */
  readonly bufferedAmount: number
  send(text: string): void
  close(code?: number, reason?: string): void
  terminate(): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: unknown) => void): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
}

/** How much a page may ask and leave unread. */
export type Bounds = {
  /** Requests of a page that are answered at once; more wait. */
  readonly atOnce: number
  /** Bytes that a page has not read, past which nothing more is made for it. */
  readonly unreadBytes: number
  /** A page that has been past that for so long, milliseconds, is closed; it resumes by `since`. */
  readonly stalledMs: number
}
export const BOUNDS: Bounds = { atOnce: 8, unreadBytes: 8 * 2 ** 20, stalledMs: 60_000 }

/** Frames taken from a page ahead of their turn. */
const AHEAD = 16
const POLL_MS = 20

const subscribeSchema = z.object({ subscribe: z.object({ since: z.int().min(0) }) })

/**
 * One page: answers its requests in turns with everything else, and feeds its one subscription. What it asks and does
 * not read stays in its own hands: its frames are not taken while it is behind.
 */
export const converse = (
  socket: PageSocket,
  api: Pick<Api, 'request' | 'subscribe'>,
  { atOnce, unreadBytes, stalledMs }: Bounds = BOUNDS,
): void => {
  const frames: unknown[] = []
  let unsubscribe = (): void => undefined
  let underway = 0
  let working = false

  const isOpen = (): boolean => socket.readyState === socket.OPEN
  const isReading = (): boolean => socket.bufferedAmount < unreadBytes
  const send = (frame: unknown): void => {
    if (isOpen()) socket.send(JSON.stringify(frame))
  }
  const take = (data: unknown): void => {
    let frame: unknown
    try {
      frame = JSON.parse(String(data))
    } catch {
      return socket.close(1007, 'needs JSON')
    }
    const subscription = subscribeSchema.safeParse(frame)
    if (subscription.success) {
      unsubscribe()
      unsubscribe = api.subscribe(subscription.data.subscribe.since, send, isReading)
      return
    }
    underway++
    api
      .request(frame)
      .then(send)
      .catch(() => socket.terminate())
      .finally(() => underway--)
  }
  const work = async (): Promise<void> => {
    working = true
    for (let data = frames.shift(); data !== undefined && isOpen(); data = frames.shift()) {
      take(data)
      await turn()
      while (isOpen() && (underway >= atOnce || !isReading())) await sleep(POLL_MS)
      if (frames.length < AHEAD) socket.resume()
    }
    working = false
  }

  let readingAt = performance.now()
  const watch = setInterval(
    () => {
      if (isReading()) readingAt = performance.now()
      else if (performance.now() - readingAt > stalledMs) socket.terminate()
    },
    Math.min(1000, stalledMs),
  )
  socket.on('message', (data) => {
    frames.push(data)
    if (frames.length >= AHEAD) socket.pause()
    if (!working) work().catch(() => socket.terminate())
  })
  socket.on('close', () => {
    clearInterval(watch)
    unsubscribe()
  })
  socket.on('error', () => socket.terminate())
}
