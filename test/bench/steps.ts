import type { Case } from './cases.ts'
import { layerPasses, type Passes } from './passes.ts'
import type { Clock, Make, Peer } from './peer.ts'
import { median, spread } from './statistics.ts'

export type Measured = {
  /** From layer graph to the first finished step, in a process that has made a network before. */
  readonly warmupSeconds: number
  readonly stepMs: number
  readonly spread: number
  /** Above the process's memory before its first network. */
  readonly peakBytes: number
}
export type Row = {
  readonly case: Case
  readonly results: Readonly<Record<string, Measured>>
  readonly passes: Passes
}

export type Contestant = {
  readonly peer: Peer
  readonly make: Make
  /** The case that it runs in a case's place; itself by default. */
  readonly instead?: (given: Case) => Case
  /** Steps in each round; a slow contestant takes fewer. */
  readonly steps: number
}

/** Steps of every contestant in turn, round after round, so that all meet the same disturbances. */
export const measure = async (
  given: Case,
  contestants: readonly Contestant[],
  rounds: number,
  clock: Clock,
): Promise<Row> => {
  const warmups = new Map<Contestant, number>()
  for (const contestant of contestants) {
    const own = contestant.instead?.(given) ?? given
    const { seconds } = await contestant.peer.ask({ do: 'make', clock, case: own, ...contestant.make })
    warmups.set(contestant, seconds)
  }
  const times = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]))
  const peaks = new Map<Contestant, number>()
  for (let round = 0; round < rounds; round++)
    for (const contestant of contestants) {
      const { ms, peak } = await contestant.peer.ask({ do: 'step', clock, count: contestant.steps + 1 })
      // The first one finds the caches full of another's data.
      times.get(contestant)!.push(...ms.slice(1))
      peaks.set(contestant, peak)
    }
  const results = contestants.map((contestant) => {
    const ms = times.get(contestant)!
    const measured: Measured = {
      warmupSeconds: warmups.get(contestant)!,
      stepMs: median(ms),
      spread: spread(ms),
      peakBytes: peaks.get(contestant)!,
    }
    return [contestant.peer.name, measured] as const
  })
  return { case: given, results: Object.fromEntries(results), passes: layerPasses(given.graph) }
}
