import { liveNodes } from '../canonical.ts'
import { INPUTS, outputIndex, type Graph } from '../graph.ts'
import { cellsOf, type Shape } from '../interpret.ts'
import { INDEX_SETS, OPS, type BinaryOp, type IndexSet, type Moment, type UnaryOp } from '../ops.ts'

/** Values and their derivatives along one direction of the inputs, `[batch, height, width, channels]`. */
export type Dual = { readonly value: Float64Array; readonly tangent: Float64Array }

/** What a point of the input space is: x, and v0 and v1 for each channel, with a direction of each. */
export type Point = { readonly x: Dual; readonly v0: Dual; readonly v1: Dual }

type Scalar = readonly [value: number, da: number, db: number]
/** Each elementwise op: its value and its derivatives with respect to both operands. */
const ELEMENTWISE: Readonly<Record<BinaryOp | UnaryOp, (a: number, b: number, epsilon: number) => Scalar>> = {
  add: (a, b) => [a + b, 1, 1],
  mul: (a, b) => [a * b, b, a],
  div: (a, b, epsilon) => {
    if (Math.abs(b) < epsilon)
      return [b < 0 ? -a / epsilon : a / epsilon, b < 0 ? -1 / epsilon : 1 / epsilon, 0]
    return [a / b, 1 / b, -a / (b * b)]
  },
  max: (a, b) => (a >= b ? [a, 1, 0] : [b, 0, 1]),
  neg: (a) => [-a, -1, 0],
  sigmoid: (a) => {
    const y = 1 / (1 + Math.exp(-a))
    return [y, y * (1 - y), 0]
  },
  tanh: (a) => {
    const y = Math.tanh(a)
    return [y, 1 - y * y, 0]
  },
  exp: (a) => [Math.exp(a), Math.exp(a), 0],
  log: (a, _, epsilon) => [
    Math.sign(a) * Math.log(Math.abs(a) + epsilon),
    a === 0 ? 0 : 1 / (Math.abs(a) + epsilon),
    0,
  ],
  abs: (a) => [Math.abs(a), Math.sign(a), 0],
  square: (a) => [a * a, 2 * a, 0],
  sqrt: (a, _, epsilon) => {
    const root = Math.sqrt(Math.abs(a) + epsilon)
    return [Math.sign(a) * root, a === 0 ? 0 : 0.5 / root, 0]
  },
}

/** Values by index set: the cell of each element. */
export type Cells = Readonly<Record<IndexSet, Uint32Array>>
export const allCells = (shape: Shape, groups: number): Cells =>
  Object.fromEntries(INDEX_SETS.map((set) => [set, cellsOf(set, shape, groups)])) as Record<
    IndexSet,
    Uint32Array
  >

/** Means over the cells, given back to each element. */
const meanOver = (t: Float64Array, cells: Uint32Array): Float64Array => {
  const sums = new Float64Array(t.length)
  const counts = new Float64Array(t.length)
  for (let i = 0; i < t.length; i++) {
    sums[cells[i]!]! += t[i]!
    counts[cells[i]!]! += 1
  }
  return t.map((_, i) => sums[cells[i]!]! / counts[cells[i]!]!)
}

const momentOver = ({ value, tangent }: Dual, cells: Uint32Array, moment: Moment, epsilon: number): Dual => {
  const mean = { value: meanOver(value, cells), tangent: meanOver(tangent, cells) }
  if (moment === 'mean') return mean
  const centred = moment === 'std'
  const from = centred ? value.map((v, i) => v - mean.value[i]!) : value
  const second = meanOver(
    from.map((d) => d * d),
    cells,
  )
  // The mean of d · dmean is 0 where d is centred.
  const slope = meanOver(
    from.map((d, i) => d * tangent[i]!),
    cells,
  )
  const root = second.map((s) => Math.sqrt(s + epsilon))
  return { value: root, tangent: slope.map((s, i) => s / root[i]!) }
}

/**
 * The graph's output (training mode, no closing affine) and its derivative along the point's direction, in float64.
 * `epsilon` is the ops' ε: the engine's own is in shared/ops.ts.
 */
export const evaluateDual = (graph: Graph, { x, v0, v1 }: Point, cells: Cells, epsilon: number): Dual => {
  const size = x.value.length
  const zero = new Float64Array(size)
  const values: Dual[] = [x, { value: zero, tangent: zero }, v0, v1]
  for (const index of liveNodes(graph)) {
    const { op, inputs } = graph.nodes[index]!
    const { moment, over } = OPS[op]
    const a = values[inputs[0]!]!
    if (moment && over) {
      values[INPUTS.length + index] = momentOver(a, cells[over], moment, epsilon)
      continue
    }
    const b = inputs.length > 1 ? values[inputs[1]!]! : null
    const f = ELEMENTWISE[op as BinaryOp | UnaryOp]
    const result = { value: new Float64Array(size), tangent: new Float64Array(size) }
    for (let i = 0; i < size; i++) {
      const [value, da, db] = f(a.value[i]!, b ? b.value[i]! : 0, epsilon)
      result.value[i] = value
      // 0 · ∞ is 0: what doesn't change has no influence.
      const along = (derivative: number, tangent: number): number =>
        tangent === 0 ? 0 : derivative * tangent
      result.tangent[i] = along(da, a.tangent[i]!) + (b ? along(db, b.tangent[i]!) : 0)
    }
    values[INPUTS.length + index] = result
  }
  return values[outputIndex(graph)]!
}
