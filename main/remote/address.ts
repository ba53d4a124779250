/** Where Redis (or Valkey) is, and connections to it. A password is never shown. */
import { Redis } from 'ioredis'
import { readText } from '../files.ts'

export type Address = {
  /** `redis://` or, over TLS, `rediss://`: user, password, host, port and the number of the database. */
  readonly url: string
  /** A file with the certificate of the authority that signed the server's, where that is not a public one. */
  readonly ca?: string | undefined
}

/** Redis can't be used as it is: one sentence. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
}

/** The first connection must come about in this time, milliseconds. */
const PATIENCE_MS = 10_000
/** A connection over which nothing comes for so long is made anew: a cut network tells nobody. Blocking reads last 5 s. */
const SILENCE_MS = 20_000
const LONGEST_RETRY_MS = 2000

/** Throws a RemoteError when it is no address of Redis. */
export const readAddress = (address: Address): URL => {
  const needs = 'needs redis://[user:password@]host[:port][/database], or rediss:// for TLS'
  if (!URL.canParse(address.url)) throw new RemoteError(`redis: ${needs}, got no address`)
  const url = new URL(address.url)
  if (!['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    throw new RemoteError(`redis: ${needs}, got ${url.protocol}//${url.hostname}`)
  if (address.ca !== undefined && url.protocol !== 'rediss:')
    throw new RemoteError('redis: a certificate is for rediss://, got redis://')
  return url
}

/** As it may be shown. */
export const shownAddress = (address: Address): string => {
  const { protocol, host, pathname } = readAddress(address)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/** A connection that is made anew whenever it is lost; commands wait meanwhile. */
export const connectTo = (address: Address): Redis => {
  const url = readAddress(address)
  const ca = address.ca === undefined ? {} : { ca: certificate(address.ca) }
  const redis = new Redis(address.url, {
    maxRetriesPerRequest: null,
    connectTimeout: PATIENCE_MS,
    keepAlive: 5000,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times: number) => Math.min(100 * 2 ** times, LONGEST_RETRY_MS),
    ...(url.protocol === 'rediss:' ? { tls: { servername: url.hostname, ...ca } } : {}),
  })
  // What is wrong is told by `reach` at the start, and by `onConnection` later.
  redis.on('error', () => undefined)
  const { duplicate } = redis
  const copies: Redis[] = []
  COPIES.set(redis, copies)
  redis.duplicate = (...args) => {
    const copy = duplicate.apply(redis, args)
    copies.push(copy)
    copy.on('error', () => undefined)
    return copy
  }
  return redis
}

/** Ends a connection and those that were made from it: BullMQ's own would go on looking for a Redis that is gone. */
export const disconnect = (redis: Redis): void => {
  for (const one of [redis, ...(COPIES.get(redis) ?? [])]) one.disconnect()
}

const COPIES = new WeakMap<Redis, Redis[]>()

const certificate = (file: string): string => {
  try {
    return readText(file, { who: 'redis: certificate', most: 2 ** 20 })
  } catch (error) {
    throw new RemoteError((error as Error).message)
  }
}

/** Waits for the first answer. Throws a RemoteError of one sentence when there is none, or it is a refusal. */
export const reach = async (redis: Redis, address: Address): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  let last: Error | null = null
  const told = (error: Error): void => {
    last = error
    // Trying again changes nothing about these.
    if (
      /WRONGPASS|NOAUTH|NOPERM|certificate|self[- ]signed|SSL|ENOTFOUND|ECONNREFUSED/i.test(sentence(error))
    )
      reject(error)
  }
  redis.on('error', told)
  const timer = setTimeout(
    () => reject(last ?? new Error(`no answer in ${PATIENCE_MS / 1000} s`)),
    PATIENCE_MS,
  )
  redis.ping().then(resolve, reject)
  try {
    await promise
  } catch (error) {
    redis.disconnect()
    throw new RemoteError(`redis: ${shownAddress(address)} can't be used: ${sentence(error as Error)}`)
  } finally {
    clearTimeout(timer)
    redis.off('error', told)
  }
}

const sentence = (error: Error & { code?: string }): string => error.message || error.code || String(error)

/** Told when the connection is lost, and when it is there again. */
export const onConnection = (redis: Redis, told: (connected: boolean) => void): void => {
  let connected = redis.status === 'ready'
  const change = (now: boolean): void => {
    if (now !== connected) told(now)
    connected = now
  }
  redis.on('ready', () => change(true))
  redis.on('close', () => change(false))
}

/** Waits for what needs Redis, but no longer than so many milliseconds: without a connection it would for ever. */
export const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise, work.catch(() => undefined)])
  clearTimeout(timer)
}
