import { mean, paretoFront } from '../../shared/pareto.ts'
import type { Graph } from '../../shared/graph.ts'
import type { Random } from '../../shared/random.ts'
import type { EvolutionConfig } from '../../shared/records.ts'

export type Member = {
  readonly number: number
  readonly graph: Graph
  readonly fingerprint: string
  readonly scores: readonly number[]
}

/**
 * The sliding window of the most recent members (ageing evolution, Liu et al. 2020, section 3.3). Departure from
 * the paper: only one copy of a fingerprint is alive at a time, since in small populations most children are
 * clones (the mutation hit a dead node) and would soon be all there is. A clone renews nothing; when its original
 * has aged out, the layer may come back at its known score.
 */
export class Population {
  readonly #capacity: number
  readonly #members: Member[] = []
  readonly #alive = new Set<string>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get members(): readonly Member[] {
    return this.#members
  }

  has(fingerprint: string): boolean {
    return this.#alive.has(fingerprint)
  }

  /** Returns whether it entered, and who aged out for it. */
  enter(member: Member): { readonly entered: boolean; readonly left: Member | null } {
    if (this.#alive.has(member.fingerprint)) return { entered: false, left: null }
    this.#members.push(member)
    this.#alive.add(member.fingerprint)
    if (this.#members.length <= this.#capacity) return { entered: true, left: null }
    const left = this.#members.shift()!
    this.#alive.delete(left.fingerprint)
    return { entered: true, left }
  }
}

/**
 * The parent of the next child: of a random subset (`tournament` of the members, two at least), a random one of
 * the Pareto frontier or the one of best average. Needs at least one member.
 */
export const tournament = (
  members: readonly Member[],
  config: Pick<EvolutionConfig, 'tournament' | 'winner'>,
  random: Random,
): Member => {
  if (members.length === 0) throw new Error('tournament: needs at least one member, has none')
  const size = Math.min(members.length, Math.max(2, Math.round(config.tournament * members.length)))
  const subset = random.sample(members, size)
  if (config.winner === 'pareto') {
    const front = paretoFront(subset.map((member) => member.scores))
    return subset[random.pick(front)]!
  }
  return subset.reduce((best, member) => {
    const gain = mean(member.scores) - mean(best.scores)
    return gain > 0 || (gain === 0 && member.number < best.number) ? member : best
  })
}
