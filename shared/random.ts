/** Chance is an argument: a small seeded generator (sfc32), the same on every machine. */
export type Random = {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, n). */
  below(n: number): number
  /** Standard normal (Box-Muller). */
  normal(): number
  pick<T>(items: readonly T[]): T
  /** `count` different items, in random order. */
  sample<T>(items: readonly T[], count: number): T[]
  shuffle<T extends { [i: number]: number; length: number } | unknown[]>(items: T): T
}

/** 32-bit hash of a text (FNV-1a with a final avalanche). */
export const hash32 = (text: string, seed = 0x811c9dc5): number => {
  let h = seed >>> 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A generator named by its keys: the same keys give the same numbers, different keys unrelated ones. */
export const createRandom = (...keys: (string | number)[]): Random => {
  const name = keys.join('\u0000')
  let a = hash32(name, 1)
  let b = hash32(name, 2)
  let c = hash32(name, 3)
  let d = 1
  const bits = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) bits()

  let spare: number | null = null
  const random: Random = {
    next: () => bits() / 4294967296,
    below: (n) => Math.floor((bits() / 4294967296) * n),
    normal: () => {
      if (spare !== null) {
        const value = spare
        spare = null
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
      const angle = 2 * Math.PI * random.next()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    pick: (items) => {
      if (items.length === 0) throw new Error('random: pick needs at least one item, got none')
      return items[random.below(items.length)]!
    },
    sample: (items, count) => random.shuffle([...items]).slice(0, count),
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = random.below(i + 1)
        const kept = items[i]!
        items[i] = items[j]!
        items[j] = kept
      }
      return items
    },
  }
  return random
}
