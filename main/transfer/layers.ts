import { canonical, fingerprint } from '../../shared/canonical.ts'
import type { ComparedLayer } from '../../shared/comparison.ts'
import { ContractError } from '../../shared/contract.ts'
import type { Graph } from '../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { ruleBroken } from '../../shared/rules.ts'
import {
  protocolOf,
  runKeyOf,
  seedsOf,
  type LayerSource,
  type PromotedLayer,
  type TransferConfig,
} from '../../shared/transfer.ts'
import type { LayerReference } from '../../shared/transfer/contract.ts'
import type { Database } from '../store/database.ts'
import { candidateDetail } from '../store/reading.ts'
import type { NewRun } from '../store/runs.ts'
import { getSearch, keyOf } from '../store/searches.ts'

/** The layer that a reference means. Throws a ContractError when there is none, or it is no legal one. */
export const resolveLayer = (db: Database, reference: LayerReference): PromotedLayer =>
  'search' in reference ? candidateReference(db, reference.search, reference.number) : freeLayer(reference)

/** A layer that no store is needed for. */
export const freeLayer = (reference: Exclude<LayerReference, { search: string }>): PromotedLayer => {
  if ('known' in reference) return knownReference(reference.known)
  const broken = ruleBroken(reference.graph)
  if (broken !== null) throw new ContractError('invalid', `layer: ${broken}`)
  return promoted(reference.graph, reference.label || 'imported layer', { kind: 'imported' })
}

const KNOWN_NAMES = new Map(KNOWN.map(({ name, graph }) => [fingerprint(graph), name]))

/** By its best name. */
const promoted = (graph: Graph, label: string, from: LayerSource): PromotedLayer => {
  const print = fingerprint(graph)
  return { graph, fingerprint: print, label: KNOWN_NAMES.get(print) ?? label, from }
}

const knownReference = (name: string): PromotedLayer => {
  try {
    const known = knownLayer(name)
    return promoted(known.graph, known.name, { kind: 'known', name: known.name })
  } catch (error) {
    throw new ContractError('missing', (error as Error).message)
  }
}

const candidateReference = (db: Database, search: string, number: number): PromotedLayer => {
  if (!getSearch(db, search)) throw new ContractError('missing', `there is no search "${search}"`)
  const detail = candidateDetail(db, keyOf(db, search), number)
  if (!detail) throw new ContractError('missing', `search "${search}" has no candidate ${number}`)
  return promoted(detail.candidate.graph, `#${number}`, { kind: 'candidate', search, number })
}

export type LineUp = ComparedLayer & { readonly graph: Graph }

/** The promoted layer and its baselines, those that are the same layer once. Throws for a name that is not known. */
export const lineUp = ({ graph, fingerprint, label }: PromotedLayer, config: TransferConfig): LineUp[] => {
  const baselines = config.baselines.map((name): LineUp => {
    const known = knownReference(name)
    return { graph: known.graph, fingerprint: known.fingerprint, label: known.label, role: 'baseline' }
  })
  const all: LineUp[] = [{ graph, fingerprint, label, role: 'layer' }, ...baselines]
  return all.filter((layer, i) => all.findIndex((other) => other.fingerprint === layer.fingerprint) === i)
}

/**
 * All runs of a promotion: seed by seed, the layer first, so that every seed makes the comparison firmer. Equal layers
 * share their runs, so that the canonical graph is trained.
 */
export const runsOfPlan = (layers: readonly LineUp[], config: TransferConfig): NewRun[] => {
  const protocol = protocolOf(config)
  return seedsOf(config).flatMap((seed) =>
    layers.map(({ graph, fingerprint }) => ({
      key: runKeyOf(protocol, fingerprint, seed),
      protocol,
      fingerprint,
      seed,
      steps: config.training.steps,
      graph: canonical(graph),
    })),
  )
}
