/** Draws that the Python scripts of this folder repeat exactly: made inputs need not be kept, only results. */
export type Below = (n: number) => number

/** mulberry32: `below(n)` is a whole number in [0, n). */
export const mulberry32 = (seed: number): Below => {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) * n) / 2 ** 32)
  }
}

/** 32-bit FNV-1a of an ASCII text, in hexadecimal. */
export const fnv = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
