/** The built page's files, as both hosts serve them. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { CONTENT_SECURITY_POLICY } from './policy.ts'

export type PageFile = { readonly type: string; readonly body: Uint8Array<ArrayBuffer> }

/** Headers that go with every answer. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
}

/** What a built page consists of. Anything else in the folder is not served. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ttf', 'font/ttf'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
])

/** The file below `folder` that an address's path (still encoded) names; null where it names none, or one outside. */
export const fileAt = (pathname: string, folder: string): string | null => {
  let name: string
  try {
    name = decodeURIComponent(pathname)
  } catch {
    return null
  }
  if (name.includes('\0')) return null
  const file = path.join(folder, name === '/' ? 'index.html' : name)
  const inside = path.relative(folder, file)
  return inside === '' || inside.split(path.sep)[0] === '..' || path.isAbsolute(inside) ? null : file
}

/** A file with its type; `forbidden` where the path names none of the page's, `missing` where there is none. */
export const readPage = async (
  pathname: string,
  folder: string,
): Promise<PageFile | 'forbidden' | 'missing'> => {
  const file = fileAt(pathname, folder)
  const type = file === null ? undefined : TYPES.get(path.extname(file))
  if (file === null || type === undefined) return 'forbidden'
  const body = await readFile(file).catch(() => null)
  return body === null ? 'missing' : { type, body: new Uint8Array(body) }
}
