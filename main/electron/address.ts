/** The page's address in Electron, `app://normforge/…`: whose requests are answered. */
export const SCHEME = 'app'
const HOST = 'normforge'
export const HOME = `${SCHEME}://${HOST}/`

/** Whether an address is one of the page's own. */
export const isOwn = (address: string): boolean => {
  const url = URL.parse(address)
  return url !== null && url.protocol === `${SCHEME}:` && url.host === HOST && !url.username && !url.port
}
