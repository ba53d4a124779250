/** The browser host: the page and its WebSocket on a loopback port, behind a token that changes at every start. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import open from 'open'
import sirv from 'sirv'
import { WebSocketServer, type WebSocket } from 'ws'
import { z } from 'zod'
import { createApi, type Api, type ApiOptions } from './api.ts'
import { CONTENT_SECURITY_POLICY } from './policy.ts'
import { root } from './setup/process.mjs'
import { version } from './versions.ts'
import type { Xla } from './workers/protocol.ts'

export type ServerOptions = Omit<ApiOptions, 'host'> & {
  /** 0: any free one. */
  readonly port?: number
}
export type Server = {
  /** The page's address with its token. */
  readonly url: string
  readonly api: Api
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const MAX_REQUEST_BYTES = 1 << 20

export const startServer = async ({ port = 0, ...options }: ServerOptions = {}): Promise<Server> => {
  const token = randomBytes(24).toString('base64url')
  const http = createServer()
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, LOOPBACK, resolve)
  })
  const host = `${LOOPBACK}:${(http.address() as AddressInfo).port}`
  const api = openApi({ ...options, host: 'browser' }, http)

  const assets = sirv(path.join(root, 'dist'), { dev: true, etag: true })
  http.on('request', (request, response) => {
    const refused = refusal(request, host, token)
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (refused) return end(response, ...refused)
    assets(request, response, () => end(response, 404, 'Not found'))
  })

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES })
  http.on('upgrade', (request, socket, head) => {
    const origin = request.headers.origin
    const foreign = origin !== undefined && origin !== `http://${host}`
    const allowed = addressOf(request).pathname === '/socket' && !foreign && hasToken(request, token)
    if (!allowed) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    sockets.handleUpgrade(request, socket, head, (connection) => converse(connection, api))
  })

  return {
    url: `http://${host}/?token=${token}`,
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
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

const addressOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', 'http://localhost')

const hasToken = (request: IncomingMessage, token: string): boolean => {
  const given = Buffer.from(addressOf(request).searchParams.get('token') ?? '')
  const needed = Buffer.from(token)
  return given.length === needed.length && timingSafeEqual(given, needed)
}

/** Why a request is not answered; another site's name that resolves to this machine is one reason. */
const refusal = (request: IncomingMessage, host: string, token: string): [number, string] | null => {
  if (request.headers.host !== host) return [403, 'Forbidden: needs to be asked by its own address']
  if (request.method !== 'GET' && request.method !== 'HEAD') return [405, 'Method not allowed']
  // The assets are the program's own public code; what they show needs the token.
  if (addressOf(request).pathname === '/' && !hasToken(request, token))
    return [403, 'Forbidden: open the address that NormForge printed when it started, token included']
  return null
}

const end = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

const subscribeSchema = z.object({ subscribe: z.object({ since: z.int().min(0) }) })

/** One page: answers its requests, and feeds its one subscription. */
const converse = (socket: WebSocket, api: Api): void => {
  let unsubscribe = (): void => undefined
  const send = (frame: unknown): void => socket.send(JSON.stringify(frame))
  socket.on('message', (data) => {
    let frame: unknown
    try {
      frame = JSON.parse(String(data))
    } catch {
      return socket.close(1007, 'needs JSON')
    }
    const subscription = subscribeSchema.safeParse(frame)
    if (subscription.success) {
      unsubscribe()
      unsubscribe = api.subscribe(subscription.data.subscribe.since, send)
    } else void api.request(frame).then(send)
  })
  socket.on('close', () => unsubscribe())
  socket.on('error', () => socket.terminate())
}

const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('needs a whole number')
  return Number(text)
}

const serve = async (options: {
  port: number
  dataFolder?: string
  workers?: number
  threads?: number
  mixedPrecision?: boolean
  xla?: Xla
  open: boolean
}): Promise<void> => {
  const { mixedPrecision, xla } = options
  const server = await startServer({ ...options, options: { mixedPrecision, xla } })
  console.log(`NormForge: ${server.url}`)
  if (options.open) await open(server.url).catch(() => undefined)
  const stop = (): void => void server.close().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

if (import.meta.main) {
  const command = new Command('normforge')
    .description('opens the workbench in the browser')
    .version(version)
    .option('--port <number>', 'loopback port; 0: any free one', wholeNumber, 0)
    .option('--data-folder <folder>', 'where searches are kept')
    .option('--workers <number>', 'worker processes (default: as measured at the first search)', wholeNumber)
    .option('--threads <number>', 'threads of each', wholeNumber)
    .option('--mixed-precision', 'products in bfloat16 (tested on processors only)')
    .addOption(
      new Option('--xla <which>', 'networks that XLA compiles (tested on processors only)').choices([
        'never',
        'measured',
        'always',
      ]),
    )
    .option('--no-open', 'only print the address')
    .action(serve)
  command.parseAsync().catch((error: Error) => {
    console.error(`normforge: ${error.message}`)
    process.exitCode = 1
  })
}
