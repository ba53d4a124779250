import { INPUTS, outputIndex, type Graph } from './graph.ts'
import { EPSILON, OPS, groupsFor, type IndexSet, type Moment, type OpName } from './ops.ts'

/** A small tensor `[batch, height, width, channels]` in float64, for checks and references. */
export type Probe = { readonly shape: readonly [number, number, number, number]; readonly data: Float64Array }

const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : 0)
const guard = (y: number): number => (Math.abs(y) >= EPSILON ? y : y < 0 ? -EPSILON : EPSILON)

const SCALAR: Partial<Record<OpName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  div: (a, b) => a / guard(b),
  max: (a, b) => (a >= b ? a : b),
  neg: (a) => -a,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  exp: Math.exp,
  log: (a) => sign(a) * Math.log(Math.abs(a) + EPSILON),
  abs: Math.abs,
  square: (a) => a * a,
  sqrt: (a) => sign(a) * Math.sqrt(Math.abs(a) + EPSILON),
}

/** For each element, which cell of the index set it falls in; and how many cells there are. */
const cellOf = (set: IndexSet, [, h, w, c]: Probe['shape'], groups: number) => {
  const perGroup = c / groupsFor(c, groups)
  return (i: number): number => {
    const channel = i % c
    const sample = Math.floor(i / (c * w * h))
    if (set === 'nhw') return channel
    if (set === 'hwc') return sample
    if (set === 'hw') return sample * c + channel
    return sample * c + Math.floor(channel / perGroup)
  }
}

const aggregate = (x: Float64Array, shape: Probe['shape'], moment: Moment, set: IndexSet, groups: number) => {
  const cell = cellOf(set, shape, groups)
  const cells = shape[0] * shape[3]
  const count = new Float64Array(cells)
  const mean = new Float64Array(cells)
  for (let i = 0; i < x.length; i++) {
    const at = cell(i)
    count[at]! += 1
    mean[at]! += moment === 'rms' ? x[i]! * x[i]! : x[i]!
  }
  for (let j = 0; j < cells; j++) mean[j]! /= count[j]! || 1
  const value = new Float64Array(cells)
  if (moment === 'std') {
    for (let i = 0; i < x.length; i++) {
      const at = cell(i)
      value[at]! += (x[i]! - mean[at]!) ** 2 / count[at]!
    }
  } else value.set(mean)
  if (moment !== 'mean') for (let j = 0; j < cells; j++) value[j] = Math.sqrt(value[j]! + EPSILON)
  return Float64Array.from(x, (_, i) => value[cell(i)]!)
}

/**
 * Runs a graph (training mode, no closing affine) on a small tensor; v0 and v1 hold one value a channel. The
 * plain-language reference of the op semantics: no tricks, float64.
 */
export const interpret = (
  graph: Graph,
  x: Probe,
  v0: ArrayLike<number>,
  v1: ArrayLike<number>,
  groups: number,
): Float64Array => {
  const size = x.data.length
  const channels = x.shape[3]
  const perChannel = (v: ArrayLike<number>) => Float64Array.from({ length: size }, (_, i) => v[i % channels]!)
  const tensors: Float64Array[] = [x.data, new Float64Array(size), perChannel(v0), perChannel(v1)]
  for (const { op, inputs } of graph.nodes) {
    const { moment, over } = OPS[op]
    const a = tensors[inputs[0]!]!
    const b = tensors[inputs[1] ?? 0]!
    if (moment && over) tensors.push(aggregate(a, x.shape, moment, over, groups))
    else {
      const f = SCALAR[op]!
      tensors.push(Float64Array.from(a, (value, i) => f(value, b[i]!)))
    }
  }
  return tensors[outputIndex(graph)]!
}

/** Whether each tensor of the graph can depend on x at all. */
export const dependsOnX = (graph: Graph): boolean[] => {
  const depends = INPUTS.map((name) => name === 'x')
  for (const node of graph.nodes) depends.push(node.inputs.some((input) => depends[input]))
  return depends
}
