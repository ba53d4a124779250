/** Typed access to layers.json, made by layers.py beside it (see there for the meaning of the fields). */
import { readFileSync } from 'node:fs'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'

export type LayerCase = {
  readonly name: string
  readonly known: boolean
  readonly affine: boolean
  readonly input: 'x' | 'near'
  readonly y: number[]
  readonly dx: number[] | null
  readonly dv0: number[] | null
  readonly dv1: number[] | null
  readonly dgamma?: number[] | null
  readonly dbeta?: number[] | null
  readonly inference?: number[]
}

export type LayerReference = {
  readonly shape: [number, number, number, number]
  readonly groups: number
  readonly epsilon: number
  readonly cases: LayerCase[]
} & Readonly<Record<'x' | 'near' | 'x2' | 'dy' | 'v0' | 'v1' | 'gamma' | 'beta', number[]>>

export const LAYERS = JSON.parse(
  readFileSync(new URL('layers.json', import.meta.url), 'utf8'),
) as LayerReference

export const graphOf = ({ name, known, affine }: LayerCase): Graph =>
  known ? knownLayer(name).graph : parseFormula(name, affine)

/** Largest |got − wanted| / (|wanted| + max |wanted| / 100 + 0.01), the measure that layers.py holds float32 to. */
export const deviation = (got: ArrayLike<number>, wanted: readonly number[]): number => {
  if (got.length !== wanted.length) throw new Error(`needed ${wanted.length} values, got ${got.length}`)
  const scale = Math.max(...wanted.map(Math.abs)) / 100 + 0.01
  return Math.max(...wanted.map((w, i) => Math.abs(got[i]! - w) / (Math.abs(w) + scale)))
}
