import type { Replies } from '../../shared/contract.ts'

/** So many pictures are kept; the one not looked at for longest goes first. */
const KEPT = 80

/** Pictures as addresses for `<img>`: each is fetched once, as its file never changes. */
export const pictureStore = (
  fetch: (run: string, name: string) => Promise<Replies['transfers.picture']>,
): ((run: string, name: string) => Promise<string>) => {
  const kept = new Map<string, Promise<string>>()
  return (run, name) => {
    const key = `${run}/${name}`
    const address = kept.get(key) ?? fetch(run, name).then(({ base64 }) => `data:image/png;base64,${base64}`)
    kept.delete(key)
    kept.set(key, address)
    address.catch(() => kept.delete(key))
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
    return address
  }
}
