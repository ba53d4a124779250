import { INPUTS, outputIndex, type Graph } from '../graph.ts'
import { liveNodes } from '../canonical.ts'
import { EPSILON, OPS, type BinaryOp, type IndexSet, type Moment, type UnaryOp } from '../ops.ts'
import { add, from, fromSmall, number, ZERO } from './algebra.ts'
import { C, dimsOf, FULL, N, type Expression, type Small, type Value } from './expression.ts'
import type { Symbols } from './symbols.ts'

export type LayerInput = 'x' | 'v0' | 'v1' | 'gamma' | 'beta'

/** A batch statistic of the layer: what a moving average is kept of. */
export type Statistic = {
  /** Position of the aggregate in the graph's nodes. */
  readonly node: number
  /** What is averaged: the mean; the mean of squares (rms); the biased variance (std). */
  readonly kind: 'mean' | 'meanSquare' | 'variance'
}
const KIND: Record<Moment, Statistic['kind']> = { mean: 'mean', rms: 'meanSquare', std: 'variance' }

export type Forward = {
  readonly y: Value
  readonly leaves: Readonly<Partial<Record<LayerInput, Expression>>>
  readonly statistics: readonly (Statistic & { readonly value: Small })[]
}

/**
 * The layer's output and batch statistics as expressions of its inputs. The vectors named in `perSample` have values for
 * each sample and channel (a conditional affine's), the others for each channel.
 */
export const forward = (
  graph: Graph,
  mode: 'training' | 'inference',
  perSample: readonly LayerInput[],
  { arena, algebra, reductions, functions }: Symbols,
): Forward => {
  const x = arena.leaf('x', FULL)
  const vector = (name: LayerInput): Expression => arena.leaf(name, perSample.includes(name) ? N | C : C)
  const v0 = vector('v0')
  const v1 = vector('v1')
  const values: Value[] = [from(x), ZERO, from(v0), from(v1)]
  const statistics: (Statistic & { value: Small })[] = []

  const aggregate = (node: number, value: Value, moment: Moment, set: IndexSet): Value => {
    const batch = set === 'nhw' && (dimsOf(value) & N) !== 0
    let raw: Small
    if (batch && mode === 'inference') {
      const bounds = moment === 'mean' ? undefined : ([0, Infinity] as const)
      raw = fromSmall(arena.leaf(`statistic ${node}`, C, bounds))
    } else {
      const of = { mean: reductions.mean, rms: reductions.meanSquare, std: reductions.variance }[moment]
      raw = of(value, set)
    }
    if (batch) statistics.push({ node, kind: KIND[moment], value: raw })
    return moment === 'mean' ? raw : functions.root(add(raw, number(EPSILON)))
  }

  for (const index of liveNodes(graph)) {
    const { op, inputs } = graph.nodes[index]!
    const [a, b] = inputs.map((input) => values[input]!)
    const { moment, over } = OPS[op]
    values[INPUTS.length + index] =
      moment && over
        ? aggregate(index, a!, moment, over)
        : functions.primitive(op as BinaryOp | UnaryOp, a!, b)
  }

  const inner = values[outputIndex(graph)]!
  if (!graph.affine) return { y: inner, leaves: { x, v0, v1 }, statistics }
  const gamma = vector('gamma')
  const beta = vector('beta')
  const y = add(algebra.multiply(inner, from(gamma)), from(beta))
  return { y, leaves: { x, v0, v1, gamma, beta }, statistics }
}
