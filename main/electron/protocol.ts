import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { CONTENT_SECURITY_POLICY } from '../policy.ts'
import { fileOf } from './address.ts'

/** What a built page consists of. Anything else in dist/ is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}

/** Answers a request of the `app:` protocol with a file below `folder`. */
export const serveFile = async (
  request: Pick<Request, 'url' | 'method'>,
  folder: string,
): Promise<Response> => {
  const file = fileOf(request.url, folder)
  const type = file === null ? undefined : TYPES[path.extname(file)]
  if (request.method !== 'GET' || file === null || type === undefined) return refuse(403)
  const body = await readFile(file).catch(() => null)
  if (body === null) return refuse(404)
  return new Response(new Uint8Array(body), {
    headers: {
      'Content-Type': type,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
    },
  })
}

const refuse = (status: number): Response => new Response(null, { status })
