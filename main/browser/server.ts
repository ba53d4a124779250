/** The browser host: the page and its WebSocket on a loopback port. Nothing that comes in there ends the program. */
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { createApi, type Api, type ApiOptions } from '../api.ts'
import { PAGE_HEADERS, readPage } from '../page.ts'
import { root } from '../setup/process.mjs'
import { createAccess, type Access } from './access.ts'
import { BOUNDS, converse, type Bounds } from '../converse.ts'

export type ServerOptions = Omit<ApiOptions, 'host'> & {
  /** 0: any free one. */
  readonly port?: number
  /** The key to the page, where it is kept between starts; else a new one is made. */
  readonly token?: string
  readonly bounds?: Partial<Bounds>
}
export type Server = Pick<Access, 'url' | 'invite'> & {
  readonly api: Api
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const MAX_FRAME_BYTES = 1 << 20
/** A page has one socket, and a handful of connections while it loads. */
const MAX_PAGES = 32
const MAX_CONNECTIONS = 512
/** Requests of one connection; a browser then opens another. */
const MAX_REQUESTS = 200
/** What a connection has time for, milliseconds: its next request's head, a whole request, to be idle or unread. */
const TIMES = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }
const IDLE_MS = 30_000
/** Cookies of every program on this address come along. */
const MAX_HEAD_BYTES = 32 << 10

export const startServer = async (options: ServerOptions = {}): Promise<Server> => {
  const { port = 0, token, bounds, ...rest } = options
  const http = createServer({ ...TIMES, maxHeaderSize: MAX_HEAD_BYTES })
  http.maxConnections = MAX_CONNECTIONS
  http.maxRequestsPerSocket = MAX_REQUESTS
  http.timeout = IDLE_MS
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, LOOPBACK, resolve)
  })
  // A connection that could not be taken, for want of file handles, say.
  http.on('error', (error) => console.error(`normforge: ${error.message}`))
  const access = createAccess({ host: LOOPBACK, port: (http.address() as AddressInfo).port, token })
  const api = openApi({ ...rest, host: 'browser' }, http)

  http.on('request', (request, response) => {
    answer(request, response, access).catch(() => response.destroy())
  })

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES })
  http.on('upgrade', (request, socket, head) => {
    // Node takes its own listener off; an error that nobody hears would end the program.
    socket.on('error', () => socket.destroy())
    const refused = sockets.clients.size >= MAX_PAGES ? '503 Service Unavailable' : refusal(request, access)
    if (refused !== null) return hangUp(socket, refused)
    try {
      sockets.handleUpgrade(request, socket, head, (page) => converse(page, api, { ...BOUNDS, ...bounds }))
    } catch {
      socket.destroy()
    }
  })

  return {
    url: access.url,
    invite: access.invite,
    api,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      http.close()
      http.closeAllConnections()
      await api.close()
    },
  }
}

// A server without its store would keep the program from ending.
const openApi = (options: ApiOptions, http: HttpServer): Api => {
  try {
    return createApi(options)
  } catch (error) {
    http.close()
    throw error
  }
}

const HEADERS = {
  ...PAGE_HEADERS,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
}
const FORBIDDEN =
  'Forbidden: open the address that NormForge printed when it started, token included, in a browser that keeps cookies'

/** The path and query of a request; null where it asks another host (as of a proxy), or for no address at all. */
const addressOf = ({ url = '' }: IncomingMessage): URL | null => {
  const base = 'http://page'
  const address = url.startsWith('/') ? URL.parse(url, base) : null
  return address?.origin === base ? address : null
}

const answer = async (request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> => {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
  const address = addressOf(request)
  if (!access.isOwn(request)) return end(response, 403, 'Forbidden: needs to be asked by its own address')
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'Method not allowed')
  if (address === null) return end(response, 400, 'Bad request: needs a path')
  // The assets are the program's own public code; what they show needs the token.
  if (address.pathname === '/') {
    const cookie = await access.enter(request, address)
    if (cookie !== null) response.setHeader('Set-Cookie', cookie)
    else if (!access.hasCookie(request)) return end(response, 403, FORBIDDEN)
  }
  const found = await readPage(address.pathname, path.join(root, 'dist'))
  if (typeof found === 'string') return end(response, 404, 'Not found')
  response.writeHead(200, { 'Content-Type': found.type, 'Content-Length': found.body.length })
  response.end(request.method === 'HEAD' ? undefined : found.body)
}

const end = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

/** Why a socket is not opened; null where it is. */
const refusal = (request: IncomingMessage, access: Access): string | null => {
  const address = addressOf(request)
  if (address === null) return '400 Bad Request'
  const allowed =
    address.pathname === '/socket' &&
    access.isOwn(request) &&
    access.isSameOrigin(request) &&
    access.hasCookie(request)
  return allowed ? null : '403 Forbidden'
}

const hangUp = (socket: Duplex, status: string): void => {
  // The other end may never close its half.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
