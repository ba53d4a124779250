import { parseFormula } from './formula.ts'
import type { Graph } from './graph.ts'
import { OPS, type Space } from './ops.ts'

export type KnownLayer = { readonly name: string; readonly graph: Graph; readonly source: string }

const norm = (set: string): string => `(x - mean_${set}(x)) / std_${set}(x) * v1 + v0`
const relu = (inner: string): string => `max(${inner}, 0)`
const EVONORM = 'Liu et al. 2020, table 2'

/**
 * Layers of the literature. BN-ReLU and its kin keep their own affine (v1, v0) before the activation and have
 * no closing one; the EvoNorm layers close with γ and β as published.
 */
const FORMULAS: readonly (readonly [name: string, formula: string, affine: boolean, source: string])[] = [
  ['BN-ReLU', relu(norm('nhw')), false, 'Ioffe & Szegedy 2015'],
  ['GN-ReLU', relu(norm('hwg')), false, 'Wu & He 2018'],
  ['LN-ReLU', relu(norm('hwc')), false, 'Ba et al. 2016'],
  ['IN-ReLU', relu(norm('hw')), false, 'Ulyanov et al. 2016'],
  ['BN-Swish', `(${norm('nhw')}) * sigmoid(${norm('nhw')})`, false, 'Ramachandran et al. 2017'],
  ['EvoNorm-B0', 'x / max(std_nhw(x), v1 * x + std_hw(x))', true, EVONORM],
  ['EvoNorm-B1', 'x / max(std_nhw(x), (x + 1) * rms_hw(x))', true, EVONORM],
  ['EvoNorm-B2', 'x / max(std_nhw(x), rms_hw(x) - x)', true, EVONORM],
  ['EvoNorm-S0', 'x * sigmoid(v1 * x) / std_hwg(x)', true, EVONORM],
  ['EvoNorm-S1', 'x * sigmoid(x) / std_hwg(x)', true, EVONORM],
  ['EvoNorm-S2', 'x * sigmoid(x) / rms_hwg(x)', true, EVONORM],
]

export const KNOWN: readonly KnownLayer[] = FORMULAS.map(([name, formula, affine, source]) => ({
  name,
  graph: parseFormula(formula, affine),
  source,
}))

export const knownLayer = (name: string): KnownLayer => {
  const found = KNOWN.find((layer) => layer.name.toLowerCase() === name.toLowerCase())
  if (!found)
    throw new Error(`known layers: needed one of ${KNOWN.map((k) => k.name).join(', ')}, got "${name}"`)
  return found
}

/** Known layers whose ops all belong to a space. */
export const knownIn = (space: Space): KnownLayer[] =>
  KNOWN.filter(({ graph }) => space === 'B' || graph.nodes.every((node) => OPS[node.op].over !== 'nhw'))
