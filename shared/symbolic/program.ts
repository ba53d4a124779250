/**
 * A layer's forward and backward computation as plain data: a list of instructions, each of which is one
 * TensorFlow op on NHWC tensors (`TENSORFLOW` below). A tensor is named by an integer; values are assigned once,
 * operands come before their use. Nothing here knows shapes in numbers: a tensor has one of a few sizes, so that
 * one program serves every site of every network.
 */

/**
 * full [n, h, w, c], nc [n, 1, 1, c], n [n, 1, 1, 1], c [1, 1, 1, c], scalar [1, 1, 1, 1]; nwc [n, 1, w, c] and wc
 * [1, 1, w, c] are nc and c repeated over w (see `widen`). Per-channel inputs may be fed as [c].
 */
export const SIZES = ['scalar', 'c', 'n', 'nc', 'wc', 'nwc', 'full'] as const
export type Size = (typeof SIZES)[number]

/**
 * A number known when the shape is: value · hw^powers.hw · n^powers.n · c^powers.c · k^powers.k, where hw = height · width
 * and k = channels / groups. Becomes a constant scalar.
 */
export type Scalar = { readonly value: number; readonly powers: Readonly<Record<Dimension, number>> }
export type Dimension = 'hw' | 'n' | 'c' | 'k'

/** A tensor by its number, or a scalar constant. */
export type Operand = number | Scalar

export const INSTRUCTIONS = [
  // elementwise, operands broadcast against each other
  'add',
  'sub',
  'mul',
  'div',
  'max',
  'min',
  'squaredDifference',
  'greaterEqual', // a boolean tensor, only ever used as the mask of `select`
  // elementwise, operands of equal size
  'addN', // three or more
  'select', // mask, a, b
  'reluGrad', // (gradient, features): gradient where features > 0, else 0
  'sigmoidGrad', // (y, gradient): gradient · y · (1 − y)
  'tanhGrad', // (y, gradient): gradient · (1 − y²)
  // unary
  'neg',
  'square',
  'sqrt',
  'reciprocal',
  'exp',
  'log',
  'sigmoid',
  'tanh',
  'relu',
  'abs',
  'sign',
  // over axes, kept as 1: down to the instruction's size
  'sum',
  'mean',
  // over the channels of each group, every channel of the group gets the result; size nc or c
  'groupMean',
  // up to the instruction's size
  'broadcast',
  'widen', // nc -> nwc or c -> wc, see below
] as const
export type InstructionName = (typeof INSTRUCTIONS)[number]

export type Instruction = {
  readonly op: InstructionName
  readonly inputs: readonly Operand[]
  readonly output: number
  /** Size of the output. */
  readonly size: Size
}

/**
 * The TensorFlow op of each instruction. `groupMean` has none of its own: reshape to [n, 1, 1, g, k], Mean over the last
 * axis (kept), BroadcastTo, reshape back: small tensors. `widen` exists for speed alone: TensorFlow's
 * broadcast of [n, 1, 1, c] over [n, h, w, c] is three times slower than of [n, 1, w, c] when c is small, so that each
 * per-channel operand of a full-size op is repeated over w first, once; where c is 64 or more it may be the identity.
 */
export const TENSORFLOW: Readonly<Record<InstructionName, string>> = {
  add: 'AddV2',
  sub: 'Sub',
  mul: 'Mul',
  div: 'RealDiv',
  max: 'Maximum',
  min: 'Minimum',
  squaredDifference: 'SquaredDifference',
  greaterEqual: 'GreaterEqual',
  addN: 'AddN',
  // Not SelectV2, which broadcasts and is six times slower.
  select: 'Select',
  reluGrad: 'ReluGrad',
  sigmoidGrad: 'SigmoidGrad',
  tanhGrad: 'TanhGrad',
  neg: 'Neg',
  square: 'Square',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  exp: 'Exp',
  log: 'Log',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
  abs: 'Abs',
  sign: 'Sign',
  sum: 'Sum',
  mean: 'Mean',
  groupMean: 'Mean',
  broadcast: 'BroadcastTo',
  widen: 'BroadcastTo',
}

/** Instructions that read or write a full-size tensor. `sizes` names the size of every tensor number. */
export const isPass = (instruction: Instruction, sizes: ReadonlyMap<number, Size>): boolean =>
  instruction.size === 'full' ||
  instruction.inputs.some((input) => typeof input === 'number' && sizes.get(input) === 'full')

/**
 * Milliseconds a million elements, measured op by op (one thread, float32 [64, 32, 32, 16], TensorFlow 2.21 with
 * oneDNN); only their ratios matter. Binary ops with a widened operand read less but index more.
 */
const PER_PASS: Partial<Record<InstructionName, number>> = {
  sum: 0.12,
  mean: 0.12,
  addN: 0.22,
  select: 0.25,
  greaterEqual: 0.15,
  reluGrad: 0.23,
  sigmoidGrad: 0.26,
  tanhGrad: 0.26,
  neg: 0.16,
  square: 0.17,
  sqrt: 0.24,
  reciprocal: 0.14,
  exp: 0.69,
  log: 1.01,
  sigmoid: 0.8,
  tanh: 0.4,
  relu: 0.15,
  abs: 0.15,
  sign: 0.14,
}
const FULL_BINARY = 0.28
const SCALAR_BINARY = 0.17
const BROADCAST_BINARY = 0.4
/** What an op on small tensors costs: dispatch, and its share of the graph optimizer's time. */
const SMALL = 0.015

/** Relative cost of a program; `passes` counts the instructions over full-size tensors. */
export const costOf = (
  instructions: readonly Instruction[],
  sizes: ReadonlyMap<number, Size>,
): { passes: number; small: number; cost: number } => {
  let passes = 0
  let cost = 0
  for (const instruction of instructions) {
    if (!isPass(instruction, sizes)) {
      cost += SMALL
      continue
    }
    passes++
    const { op, inputs } = instruction
    const operand = inputs.map((input) => (typeof input === 'number' ? sizes.get(input)! : 'scalar'))
    cost +=
      PER_PASS[op] ??
      (operand.every((size) => size === 'full')
        ? FULL_BINARY
        : operand.includes('scalar')
          ? SCALAR_BINARY
          : BROADCAST_BINARY)
  }
  return { passes, small: instructions.length - passes, cost }
}
