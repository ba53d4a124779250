import type { Graph } from '../../shared/graph.ts'
import { knownIn, type KnownLayer } from '../../shared/known.ts'
import { SEARCH_NODES } from '../../shared/graph.ts'
import type { Random } from '../../shared/random.ts'
import type { Origin, SearchConfig } from '../../shared/records.ts'
import { mutateFunction, padToTen, randomLayer } from './mutate.ts'
import { tournament, type Member } from './population.ts'

/** After so many proposals in a row that led to nothing new, random layers are proposed until one does. */
export const STALL = 100

/** What a proposal depends on, besides its own chance. */
export type Standing = {
  readonly members: readonly Member[]
  /** Known layers of the first population proposed so far, with the number they got. */
  readonly known: readonly { readonly number: number; readonly graph: Graph }[]
  /** Candidates that were sent to training or entered the population. */
  readonly admitted: number
  /** Proposals since the last admitted one. */
  readonly misses: number
}
export type Proposal = { readonly graph: Graph; readonly origin: Origin }

/** Known layers that open a seeded search, in the order of `known.ts`. */
export const seeds = (config: SearchConfig): KnownLayer[] =>
  config.evolution.mode === 'evolution' && config.evolution.initial === 'seeded'
    ? knownIn(config.space)
        .filter(({ graph }) => graph.nodes.length <= SEARCH_NODES)
        .slice(0, config.evolution.initialSize)
    : []

/**
 * The next layer to try. First population: random layers (the paper), or known ones, then in turn a mutation of one
 * of them and a random layer. Afterwards the tournament's winner is mutated. Random search only draws.
 */
export const propose = (config: SearchConfig, standing: Standing, random: Random): Proposal => {
  const { space, evolution } = config
  const drawn = (): Proposal => ({ graph: randomLayer(space, random), origin: { kind: 'random' } })
  const mutated = (parent: { readonly number: number; readonly graph: Graph }): Proposal => {
    const { graph, node, neutral } = mutateFunction(parent.graph, space, random)
    const drift = neutral > 0 ? { neutral } : {}
    return { graph, origin: { kind: 'mutation', parent: parent.number, node, ...drift } }
  }
  if (evolution.mode === 'random' || standing.misses >= STALL) return drawn()

  const seed = seeds(config)[standing.known.length]
  if (seed) return { graph: padToTen(seed.graph, space, random), origin: { kind: 'known', name: seed.name } }
  if (standing.admitted < evolution.initialSize)
    return standing.known.length > 0 && standing.admitted % 2 === 0
      ? mutated(random.pick(standing.known))
      : drawn()
  return standing.members.length > 0 ? mutated(tournament(standing.members, evolution, random)) : drawn()
}
