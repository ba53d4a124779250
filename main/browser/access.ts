/**
 * Who may open the workbench in a browser. The token is the key: the printed address carries it, the page keeps it in
 * a cookie. Where others can read along (the arguments of a started browser), a code stands in its place that opens
 * the page once.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { userAtOtherEnd } from './peer.ts'

export type Access = {
  /** The page's address with the token. */
  readonly url: string
  /** The page's address with a code that is good once, within a minute, for a process of the same user. */
  invite(): string
  /** Whether a request names this host: another site's name may resolve to this machine, too. */
  isOwn(request: IncomingMessage): boolean
  /** Whether it comes from this host's page, as far as browsers say. */
  isSameOrigin(request: IncomingMessage): boolean
  hasCookie(request: IncomingMessage): boolean
  /** The cookie to set where a request's address opens the page; null where it doesn't. */
  enter(request: IncomingMessage, address: URL): Promise<string | null>
}

export type AccessOptions = {
  readonly host: string
  readonly port: number
  /** One that is kept between starts, so that a browser's cookie stays good; else a new one is made. */
  readonly token?: string | undefined
}

const CODE_MS = 60_000
/** The longest that browsers keep a cookie, 400 days in seconds. */
const LONGEST = 400 * 24 * 3600

export const createAccess = ({ host, port, token: kept }: AccessOptions): Access => {
  const origin = `http://${host}:${port}`
  const token = kept ?? newSecret()
  // Browsers don't tell ports apart: two workbenches on one machine need two names.
  const name = `normforge-${port}`
  const lasting = kept === undefined ? '' : `; Max-Age=${LONGEST}`
  const cookie = `${name}=${token}; Path=/; HttpOnly; SameSite=Strict${lasting}`
  const codes = new Map<string, number>()

  const isOwn = ({ headers }: IncomingMessage): boolean => headers.host === `${host}:${port}`
  /** Uses a code up, unless another user's process has it: that one read it in a list of processes. */
  const spend = async (code: string, { socket }: IncomingMessage): Promise<boolean> => {
    if (!(performance.now() < (codes.get(code) ?? 0))) return false
    const user = await userAtOtherEnd(socket)
    if (user !== null && user !== 0 && user !== process.getuid?.()) return false
    return codes.delete(code)
  }

  return {
    url: `${origin}/?token=${token}`,
    invite: () => {
      const code = newSecret()
      codes.set(code, performance.now() + CODE_MS)
      return `${origin}/?token=${code}`
    },
    isOwn,
    isSameOrigin: ({ headers }) => headers.origin === undefined || headers.origin === origin,
    hasCookie: ({ headers }) =>
      (headers.cookie ?? '').split(';').some((pair) => {
        const [key, ...value] = pair.trim().split('=')
        return key === name && isEqual(value.join('='), token)
      }),
    enter: async (request, address) => {
      const given = address.searchParams.get('token') ?? ''
      return isEqual(given, token) || (await spend(given, request)) ? cookie : null
    },
  }
}

const newSecret = (): string => randomBytes(24).toString('base64url')

/** In a time that tells nothing of where they differ. */
const isEqual = (given: string, needed: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(needed)]
  return a.length === b.length && timingSafeEqual(a, b)
}
