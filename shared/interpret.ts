import { liveNodes } from './canonical.ts'
import { INPUTS, outputIndex, type Graph } from './graph.ts'
import { EPSILON, OPS, groupsFor, type BinaryOp, type IndexSet, type Moment, type UnaryOp } from './ops.ts'

export type Shape = readonly [batch: number, height: number, width: number, channels: number]
export type Numbers = Float64Array | Float32Array

/** A small tensor `[batch, height, width, channels]`, for checks and references. */
export type Probe = { readonly shape: Shape; readonly data: Numbers }

const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : 0)
const guard = (y: number): number => (Math.abs(y) >= EPSILON ? y : y < 0 ? -EPSILON : EPSILON)

/** The exact meaning of the elementwise ops. */
export const SCALAR: Readonly<Record<BinaryOp | UnaryOp, (a: number, b: number) => number>> = {
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

/** The cell of the index set that each element falls in, below batch × channels. */
export const cellsOf = (set: IndexSet, [n, h, w, c]: Shape, groups: number): Uint32Array => {
  const perGroup = c / groupsFor(c, groups)
  const cells = new Uint32Array(n * h * w * c)
  for (let i = 0; i < cells.length; i++) {
    const channel = i % c
    const sample = Math.floor(i / (c * w * h))
    if (set === 'nhw') cells[i] = channel
    else if (set === 'hwc') cells[i] = sample
    else if (set === 'hw') cells[i] = sample * c + channel
    else cells[i] = sample * c + Math.floor(channel / perGroup)
  }
  return cells
}

/** √(mean((t − centre)²) + ε) or the mean itself, per cell, in two passes. */
const aggregate = (t: Numbers, cells: Uint32Array, moment: Moment): Float64Array => {
  const count = new Float64Array(t.length)
  const value = new Float64Array(t.length)
  for (let i = 0; i < t.length; i++) {
    count[cells[i]!]! += 1
    value[cells[i]!]! += moment === 'rms' ? t[i]! * t[i]! : t[i]!
  }
  for (let j = 0; j < value.length; j++) value[j]! /= count[j]! || 1
  if (moment === 'mean') return value
  if (moment === 'rms') return value.map((v) => Math.sqrt(v + EPSILON))
  const variance = new Float64Array(t.length)
  for (let i = 0; i < t.length; i++)
    variance[cells[i]!]! += (t[i]! - value[cells[i]!]!) ** 2 / count[cells[i]!]!
  return variance.map((v) => Math.sqrt(v + EPSILON))
}

/**
 * Runs a graph (training mode, no closing affine) on a small tensor; v0 and v1 hold one value a channel. The
 * plain reference of the op semantics, without tricks. A float64 `x` computes in float64; with a float32
 * `x` every tensor is rounded to float32, so that values overflow where the engine's would.
 */
export const interpret = (
  graph: Graph,
  x: Probe,
  v0: ArrayLike<number>,
  v1: ArrayLike<number>,
  groups: number,
): Numbers => {
  const size = x.data.length
  const channels = x.shape[3]
  const empty = (): Numbers =>
    x.data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  const perChannel = (v: ArrayLike<number>): Numbers => empty().map((_, i) => v[i % channels]!)

  const tensors: Numbers[] = [x.data, empty(), perChannel(v0), perChannel(v1)]
  for (const index of liveNodes(graph)) {
    const { op, inputs } = graph.nodes[index]!
    const { moment, over } = OPS[op]
    const a = tensors[inputs[0]!]!
    const b = tensors[inputs[1] ?? 0]!
    const y = empty()
    if (moment && over) {
      const cells = cellsOf(over, x.shape, groups)
      const value = aggregate(a, cells, moment)
      for (let i = 0; i < size; i++) y[i] = value[cells[i]!]!
    } else {
      const f = SCALAR[op as BinaryOp | UnaryOp]
      for (let i = 0; i < size; i++) y[i] = f(a[i]!, b[i]!)
    }
    tensors[INPUTS.length + index] = y
  }
  return tensors[outputIndex(graph)]!
}

/** Whether each tensor of the graph can depend on x at all. */
export const dependsOnX = (graph: Graph): boolean[] => {
  const depends = INPUTS.map((name) => name === 'x')
  for (const node of graph.nodes) depends.push(node.inputs.some((input) => depends[input]))
  return depends
}
