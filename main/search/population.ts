import { mean, paretoFront } from '../../shared/pareto.ts'
import type { Graph } from '../../shared/graph.ts'
import type { Identity } from '../../shared/identity/identity.ts'
import type { Random } from '../../shared/random.ts'
import type { EvolutionConfig } from '../../shared/records.ts'

export type Member = {
  readonly number: number
  readonly graph: Graph
  readonly identity: Identity
  readonly scores: readonly number[]
}

/**
 * The sliding window of the most recent members (ageing evolution, Liu et al. 2020, section 3.3). Departures from the
 * paper, since in small populations most children are copies and would soon be all there is: only one copy of a function
 * is alive at a time (a second one renews nothing; when the first has aged out, the layer may come back at its known
 * score), and at most `mostAlike` members that start training as one function: one more makes the oldest of them leave.
 */
export class Population {
  readonly #capacity: number
  readonly #mostAlike: number
  readonly #members: Member[] = []

  constructor({ population, mostAlike }: Pick<EvolutionConfig, 'population' | 'mostAlike'>) {
    this.#capacity = population
    this.#mostAlike = mostAlike || Infinity
  }

  get members(): readonly Member[] {
    return this.#members
  }

  /** Returns whether it entered, and who left for it. */
  enter(member: Member): { readonly entered: boolean; readonly left: Member | null } {
    const { identity } = member
    if (this.#members.some((other) => other.identity.function === identity.function))
      return { entered: false, left: null }
    const alike = this.#members.filter((other) => other.identity.start === identity.start)
    const oldest =
      alike.length >= this.#mostAlike
        ? alike[0]!
        : this.#members.length >= this.#capacity
          ? this.#members[0]!
          : null
    if (oldest) this.#members.splice(this.#members.indexOf(oldest), 1)
    this.#members.push(member)
    return { entered: true, left: oldest }
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
