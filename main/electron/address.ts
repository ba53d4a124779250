/** The page's address in Electron, `app://normforge/…`: which files it names, and whose requests are answered. */
import path from 'node:path'

export const SCHEME = 'app'
const HOST = 'normforge'
export const HOME = `${SCHEME}://${HOST}/`

/** Whether an address is one of the page's own. */
export const isOwn = (address: string): boolean => {
  const url = URL.parse(address)
  return url !== null && url.protocol === `${SCHEME}:` && url.host === HOST && !url.username && !url.port
}

/** The file that an address names below `folder`; null where it names none, or one outside. */
export const fileOf = (address: string, folder: string): string | null => {
  if (!isOwn(address)) return null
  let name: string
  try {
    name = decodeURIComponent(new URL(address).pathname)
  } catch {
    return null
  }
  if (name.includes('\0')) return null
  const file = path.join(folder, name === '/' ? 'index.html' : name)
  const inside = path.relative(folder, file)
  return inside === '' || inside.split(path.sep)[0] === '..' || path.isAbsolute(inside) ? null : file
}
