/**
 * The primitive ops of the search space: the one table that sampling, kernels, gradients, formulas, drawing
 * and help are keyed by. Source: Liu et al., "Evolving Normalization-Activation Layers", NeurIPS 2020, table 1.
 *
 * Tensors are `[batch, height, width, channels]`. Every op keeps the shape of its input: an aggregate is
 * broadcast back over the axes it reduced.
 */

import { namesOf } from './names.ts'

/** Added under a root or inside a logarithm, and the least magnitude of a denominator. */
export const EPSILON = 1e-5

/**
 * Index sets of the aggregates. `nhw`: batch + space, one value a channel (batch norm); `hwc`: space +
 * channels, one a sample (layer norm); `hw`: space, one a sample and channel (instance norm); `hwg`: space +
 * channels of a group, one a sample and group (group norm).
 */
export const INDEX_SETS = ['nhw', 'hwc', 'hw', 'hwg'] as const
export type IndexSet = (typeof INDEX_SETS)[number]

export type Moment = 'mean' | 'rms' | 'std'
export type AggregateOp = `${Moment}_${IndexSet}`
export type BinaryOp = 'add' | 'mul' | 'div' | 'max'
export type UnaryOp = 'neg' | 'sigmoid' | 'tanh' | 'exp' | 'log' | 'abs' | 'square' | 'sqrt'
export type OpName = BinaryOp | UnaryOp | AggregateOp

export type Op = {
  /** What stores know it by, whatever its place in the table: it never changes and is never given to another one. */
  readonly id: number
  readonly kind: 'binary' | 'unary' | 'aggregate'
  readonly arity: 1 | 2
  /** The exact meaning, ε included. */
  readonly formula: string
  readonly help: string
  readonly commutative: boolean
  /** What an aggregate reduces, and over which indices. */
  readonly moment?: Moment
  readonly over?: IndexSet
}

const binary = (id: number, formula: string, help: string, commutative = true): Op => ({
  id,
  kind: 'binary',
  arity: 2,
  formula,
  help,
  commutative,
})
const unary = (id: number, formula: string, help: string): Op => ({
  id,
  kind: 'unary',
  arity: 1,
  formula,
  help,
  commutative: false,
})

const MOMENTS: Record<Moment, (set: IndexSet) => [string, string]> = {
  mean: (set) => [`mean_${set}(x)`, 'first-order moment'],
  rms: (set) => [`√(mean_${set}(x²) + ε)`, 'second-order moment'],
  std: (set) => [`√(var_${set}(x) + ε)`, 'second-order moment, centred (biased variance)'],
}
const PER: Record<IndexSet, string> = {
  nhw: 'one value a channel; a moving average at inference',
  hwc: 'one value a sample',
  hw: 'one value a sample and channel',
  hwg: 'one value a sample and channel group',
}
const aggregate = (id: number, moment: Moment, over: IndexSet): Op => {
  const [formula, help] = MOMENTS[moment](over)
  return {
    id,
    kind: 'aggregate',
    arity: 1,
    formula,
    help: `${help}: ${PER[over]}`,
    commutative: false,
    moment,
    over,
  }
}

export const OPS: Readonly<Record<OpName, Op>> = {
  add: binary(0, 'x + y', 'sum'),
  mul: binary(1, 'x · y', 'product'),
  div: binary(2, 'x / y, |y| at least ε', 'quotient', false),
  max: binary(3, 'max(x, y)', 'the larger of two; ties give the gradient to the first'),
  neg: unary(4, '−x', 'negation'),
  sigmoid: unary(5, '1 / (1 + e⁻ˣ)', 'logistic sigmoid'),
  tanh: unary(6, 'tanh(x)', 'hyperbolic tangent'),
  exp: unary(7, 'eˣ', 'exponential'),
  log: unary(8, 'sign(x) · ln(|x| + ε)', 'signed logarithm'),
  abs: unary(9, '|x|', 'absolute value'),
  square: unary(10, 'x²', 'square'),
  sqrt: unary(11, 'sign(x) · √(|x| + ε)', 'signed square root'),
  mean_nhw: aggregate(12, 'mean', 'nhw'),
  mean_hwc: aggregate(13, 'mean', 'hwc'),
  mean_hw: aggregate(14, 'mean', 'hw'),
  mean_hwg: aggregate(15, 'mean', 'hwg'),
  rms_nhw: aggregate(16, 'rms', 'nhw'),
  rms_hwc: aggregate(17, 'rms', 'hwc'),
  rms_hw: aggregate(18, 'rms', 'hw'),
  rms_hwg: aggregate(19, 'rms', 'hwg'),
  std_nhw: aggregate(20, 'std', 'nhw'),
  std_hwc: aggregate(21, 'std', 'hwc'),
  std_hw: aggregate(22, 'std', 'hw'),
  std_hwg: aggregate(23, 'std', 'hwg'),
}

export const OP_NAMES = namesOf(OPS)

/** Ops as the bits of a number, each at its id: what stores keep to filter by. Exact for ids up to 52. */
export const bitsOf = (ops: readonly OpName[]): number =>
  [...new Set(ops)].reduce((bits, op) => bits + 2 ** OPS[op].id, 0)

/** The paper's two spaces: B has batch statistics, S (batch-independent) leaves `nhw` out. */
export type Space = 'B' | 'S'

/** The ops of a space, in table order. */
export const opsOf = (space: Space): OpName[] =>
  OP_NAMES.filter((name) => space === 'B' || OPS[name].over !== 'nhw')

/** Groups used on a site of `channels` channels: the largest divisor of `channels` not above `groups`. */
export const groupsFor = (channels: number, groups: number): number => {
  for (let g = Math.min(groups, channels); g > 1; g--) if (channels % g === 0) return g
  return 1
}
