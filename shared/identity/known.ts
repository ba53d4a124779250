import { KNOWN } from '../known.ts'
import { identify, type Identity } from './identity.ts'

let names: ReadonlyMap<string, string> | null = null

/** Known layers by function, as published and with a closing affine, which every searched layer has. */
const namesByFunction = (): ReadonlyMap<string, string> =>
  new Map(
    KNOWN.flatMap(({ name, graph }) =>
      [true, graph.affine].map((affine) => [identify({ ...graph, affine }).function, name] as const),
    ),
  )

/** The layer of the literature that computes the same function, or null: found again is not found. */
export const knownAs = (identity: Identity): string | null =>
  (names ??= namesByFunction()).get(identity.function) ?? null
