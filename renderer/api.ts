/** The seam: the only file that knows the line to the host, the desktop window's or the browser host's WebSocket. */
import { z } from 'zod'
import {
  ContractError,
  type Argument,
  type EventFrame,
  type Replies,
  type RequestName,
} from '../shared/contract.ts'
import type { Desktop } from '../shared/desktop.ts'
import { REPLIES } from '../shared/replies.ts'
import { socketBridge, type Connection, type Socket } from './socket.ts'

// zod would probe for `eval`, which the page's content security policy forbids.
z.config({ jitless: true })

declare global {
  interface Window {
    /** The line to the host that the desktop window gives its pages. */
    readonly normforge?: Desktop
  }
}

export type Api = {
  request<N extends RequestName>(name: N, argument: Argument<N>): Promise<Replies[N]>
  subscribe(since: number, listener: (frame: EventFrame) => void): () => void
  /** Tries to reconnect now. */
  retry(): void
}

const openSocket = (): Socket => {
  const address = new URL('socket', location.href)
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  address.hash = ''
  address.search = ''
  return asSocket(new WebSocket(address))
}

const asSocket = (real: WebSocket): Socket => {
  const socket: Socket = {
    send: (text) => real.send(text),
    close: () => real.close(),
    onopen: null,
    onclose: null,
    onmessage: null,
  }
  real.onopen = () => socket.onopen?.()
  real.onclose = () => socket.onclose?.()
  real.onmessage = (message: MessageEvent<unknown>) => socket.onmessage?.(message)
  return socket
}

const openLine = (desktop: Desktop, onConnection: (now: Connection) => void): Socket => {
  const socket: Socket = {
    send: (text) => line.send(text),
    close: () => line.close(),
    onopen: null,
    onclose: null,
    onmessage: null,
  }
  const line = desktop.connect({
    open: () => socket.onopen?.(),
    wait: (text, share) => onConnection({ state: 'connecting', doing: { text, share } }),
    text: (text) => socket.onmessage?.({ data: text }),
    close: () => socket.onclose?.(),
  })
  return socket
}

/** A reply of another version's program is said in one sentence, not as a list of schema issues. */
const understood = <N extends RequestName>(name: N, value: unknown): Replies[N] => {
  const parsed = REPLIES[name].safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  const where = [name, ...path].join('.')
  throw new Error(
    `The program and this page are of different versions; reload the page. (${where}: ${message})`,
  )
}

/** Connects the page to whichever host it runs in. */
export const connect = (onConnection: (now: Connection) => void): Api => {
  const { normforge } = window
  // The address brought the token, which a cookie holds by now: it need not stay in sight, nor in bookmarks.
  if (!normforge) history.replaceState(history.state, '', location.pathname + location.hash)
  const bridge = socketBridge(normforge ? () => openLine(normforge, onConnection) : openSocket, onConnection)
  let next = 1
  return {
    request: async (name, argument) => {
      const reply = await bridge.request({ id: next++, name, argument })
      if (!reply.ok) throw new ContractError(reply.code, reply.message)
      return understood(name, reply.value)
    },
    subscribe: bridge.subscribe,
    retry: bridge.retry,
  }
}
