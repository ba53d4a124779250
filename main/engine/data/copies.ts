/** Images that stand in a data set more than once, told by a hash of their pixels. */
import { hash } from 'node:crypto'

export const pixelHash = (pixels: Uint8Array): string => hash('sha1', pixels, 'base64')

/** Runs `work` on each item, a few at a time, and gives the results in order. */
export const mapSome = async <T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  atOnce = 4,
): Promise<R[]> => {
  const results = new Array<R>(items.length)
  let next = 0
  const run = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!, i)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run))
  return results
}
