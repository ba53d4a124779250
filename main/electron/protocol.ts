import { PAGE_HEADERS, readPage } from '../page.ts'
import { isOwn } from './address.ts'

/** Answers a request of the `app:` protocol with a file below `folder`. */
export const serveFile = async (
  request: Pick<Request, 'url' | 'method'>,
  folder: string,
): Promise<Response> => {
  if (request.method !== 'GET' || !isOwn(request.url)) return refuse(403)
  const found = await readPage(new URL(request.url).pathname, folder)
  if (typeof found === 'string') return refuse(found === 'missing' ? 404 : 403)
  return new Response(found.body, { headers: { ...PAGE_HEADERS, 'Content-Type': found.type } })
}

const refuse = (status: number): Response => new Response(null, { status })
