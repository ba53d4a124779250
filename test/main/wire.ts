/** A browser host for tests, and ways to talk to it as browsers do and as they never would. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import net from 'node:net'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { startServer, type Server, type ServerOptions } from '../../main/browser/server.ts'
import type { AppEvent } from '../../shared/contract.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { dataFolder } from './stand-in-app.ts'

export const serve = async (t: TestContext, more: ServerOptions = {}): Promise<Server> => {
  const server = await startServer({ dataFolder: dataFolder(), workers: 1, evaluator: STAND_IN, ...more })
  t.after(() => server.close())
  return server
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** As it stands on the wire: fetch would tidy the path and the Host header. */
export const get = (
  { url }: Pick<Server, 'url'>,
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request({ hostname, port, path: target, headers, method }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    sent.on('error', reject).end()
  })

/** Path and query of an address. */
export const pathOf = (url: string): string => new URL(url).pathname + new URL(url).search

/** What a browser that opened the page sends from then on. */
export const cookieOf = async (server: Pick<Server, 'url'>): Promise<string> => {
  const { status, headers } = await get(server, pathOf(server.url))
  const cookie = headers['set-cookie']?.[0]?.split(';')[0]
  assert.ok(cookie, `status ${status}: needed a cookie`)
  return cookie
}

type Frame = {
  readonly id?: number
  readonly ok?: boolean
  readonly value?: unknown
  readonly events?: readonly AppEvent[]
}
export type Page = {
  readonly socket: WebSocket
  readonly frames: Frame[]
  send(frame: unknown): void
  ask(name: string, argument: object): Promise<Frame>
}

/** An open socket of the page. */
export const openPage = async (server: Server, cookie?: string): Promise<Page> => {
  const headers = { cookie: cookie ?? (await cookieOf(server)) }
  const socket = new WebSocket(`ws://${new URL(server.url).host}/socket`, { headers })
  const frames: Frame[] = []
  const waiting = new Map<number, (frame: Frame) => void>()
  let id = 1_000_000
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame
    frames.push(frame)
    if (frame.id !== undefined) waiting.get(frame.id)?.(frame)
  })
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  const send = (frame: unknown): void => socket.send(JSON.stringify(frame))
  return {
    socket,
    frames,
    send,
    ask: (name, argument) =>
      new Promise((resolve) => {
        waiting.set(++id, resolve)
        send({ id, name, argument })
      }),
  }
}

/** Writes bytes to the host and gives what came back, when it closes the connection or `ms` have passed. */
export const raw = (server: Pick<Server, 'url'>, bytes: string | Uint8Array, ms = 300): Promise<string> =>
  new Promise((resolve) => {
    const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1')
    let got = ''
    const timer = setTimeout(() => socket.destroy(), ms)
    socket.setEncoding('latin1')
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => (got += String(chunk)))
    socket.on('end', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(got)
    })
  })
