import {
  replyFrameSchema,
  type Bridge,
  type EventFrame,
  type ReplyFrame,
  type RequestFrame,
} from '../shared/contract.ts'
import { eventFrameSchema } from '../shared/records/event.ts'

/** What a socket must be able to do: a browser's WebSocket, or a test's stand-in. */
export type Socket = {
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onclose: (() => void) | null
  onmessage: ((message: { data: unknown }) => void) | null
}

export type Connection =
  /** `doing`: what the program does before it answers, as far as it says so; `share` is 0..1, null where it isn't known. */
  | {
      readonly state: 'connecting'
      readonly doing?: { readonly text: string; readonly share: number | null }
    }
  | { readonly state: 'open' }
  /** `since`, `retryAt`: milliseconds since the epoch. `everOpen`: whether there was a connection at all. */
  | { readonly state: 'lost'; readonly since: number; readonly retryAt: number; readonly everOpen: boolean }

export type SocketBridge = Bridge & { retry(): void; close(): void }

/** Wait before the nth reconnection, milliseconds: a quarter of a second, doubling to five seconds. */
export const retryDelay = (attempt: number): number => Math.min(5000, 250 * 2 ** attempt)

/**
 * A bridge over a WebSocket that reconnects by itself. Requests made while it is down, or unanswered when it goes
 * down, are rejected at once: the page says so instead of waiting. The subscription resumes after the last event
 * that arrived.
 */
export const socketBridge = (
  connect: () => Socket,
  onConnection: (now: Connection) => void,
): SocketBridge => {
  let socket: Socket | null = null
  let open = false
  let everOpen = false
  let closed = false
  let attempt = 0
  let lostAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const waiting = new Map<number, { resolve(reply: ReplyFrame): void; reject(error: Error): void }>()
  let subscription: { since: number; listener: (frame: EventFrame) => void } | null = null

  const receive = (data: unknown): void => {
    const value: unknown = JSON.parse(String(data))
    const reply = replyFrameSchema.safeParse(value)
    if (reply.success) {
      waiting.get(reply.data.id)?.resolve(reply.data)
      waiting.delete(reply.data.id)
      return
    }
    const frame = eventFrameSchema.parse(value)
    if (!subscription) return
    // After a reconnection the same events may come twice; what was seen is left out.
    const since = subscription.since
    const events = frame.events.filter((event) => event.kind === 'workers' || event.seq > since)
    for (const event of events)
      if (event.kind !== 'workers') subscription.since = Math.max(subscription.since, event.seq)
    if (events.length > 0) subscription.listener({ events })
  }

  const lost = (): void => {
    if (socket === null) return
    socket.onopen = socket.onclose = socket.onmessage = null
    socket = null
    if (open || attempt === 0) lostAt = Date.now()
    open = false
    for (const { reject } of waiting.values()) reject(new Error('The connection to NormForge was lost.'))
    waiting.clear()
    if (closed) return
    const delay = retryDelay(attempt++)
    onConnection({ state: 'lost', since: lostAt, retryAt: Date.now() + delay, everOpen })
    timer = setTimeout(dial, delay)
  }

  const dial = (): void => {
    clearTimeout(timer)
    if (socket !== null || closed) return
    socket = connect()
    socket.onopen = () => {
      open = everOpen = true
      attempt = 0
      if (subscription) socket?.send(JSON.stringify({ subscribe: { since: subscription.since } }))
      onConnection({ state: 'open' })
    }
    socket.onclose = lost
    socket.onmessage = (message) => receive(message.data)
  }
  dial()

  return {
    request: (frame: RequestFrame) =>
      new Promise((resolve, reject) => {
        if (!socket || !open) return reject(new Error('There is no connection to NormForge.'))
        waiting.set(frame.id, { resolve, reject })
        socket.send(JSON.stringify(frame))
      }),
    subscribe: (since, listener) => {
      subscription = { since, listener }
      if (open) socket?.send(JSON.stringify({ subscribe: { since } }))
      return () => {
        subscription = null
      }
    },
    retry: dial,
    close: () => {
      closed = true
      clearTimeout(timer)
      socket?.close()
    },
  }
}
