/**
 * A layer's forward and backward computation as plain data: a list of instructions on NHWC tensors. A tensor is named
 * by an integer; values are assigned once, operands come before their use. Nothing here knows shapes in numbers: a
 * tensor has one of five sizes, so that one program serves every site of every network. What runs it: TensorFlow's
 * ops one by one (main/engine/lowering), or the engine's own kernel, which runs all of it in a few passes over memory.
 */

/** full [n, h, w, c], nc [n, 1, 1, c], n [n, 1, 1, 1], c [1, 1, 1, c], scalar [1, 1, 1, 1]. */
export const SIZES = ['scalar', 'c', 'n', 'nc', 'full'] as const
export type Size = (typeof SIZES)[number]

/**
 * A number known when the shape is: value · hw^powers.hw · n^powers.n · c^powers.c · k^powers.k, where hw = height · width
 * and k = channels / groups.
 */
export type Scalar = { readonly value: number; readonly powers: Readonly<Record<Dimension, number>> }
export const DIMENSIONS = ['hw', 'n', 'c', 'k'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** A tensor by its number, or a scalar constant. */
export type Operand = number | Scalar

export const ELEMENTWISE = [
  // operands broadcast against each other
  'add',
  'sub',
  'mul',
  'div',
  'max',
  // operands of equal size
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
  'guard', // the operand, its magnitude at least ε, 0 counting as positive
  // up to the instruction's size
  'broadcast',
] as const
export const REDUCTIONS = [
  // over axes, kept as 1: full to nc; nc to n, c or scalar; n or c to scalar
  'sum',
  'variance', // biased; full to nc
  // over the channels of each group, every channel of the group gets the result; size nc or c
  'groupMean',
] as const
export const INSTRUCTIONS = [...ELEMENTWISE, ...REDUCTIONS] as const
export type InstructionName = (typeof INSTRUCTIONS)[number]

export type Instruction = {
  readonly op: InstructionName
  readonly inputs: readonly Operand[]
  readonly output: number
  /** Size of the output. */
  readonly size: Size
}
export type Sizes = ReadonlyMap<number, Size>

/** Instructions that read or write a full-size tensor. */
export const isPass = (instruction: Instruction, sizes: Sizes): boolean =>
  instruction.size === 'full' ||
  instruction.inputs.some((input) => typeof input === 'number' && sizes.get(input) === 'full')

/**
 * Milliseconds a million elements of TensorFlow's ops, measured one by one (one thread, float32 [64, 32, 32, 16],
 * TensorFlow 2.21 with oneDNN); only their ratios matter.
 */
const PER_PASS: Partial<Record<InstructionName, number>> = {
  sum: 0.12,
  variance: 0.5,
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
  guard: 0.8,
}
const FULL_BINARY = 0.28
const SCALAR_BINARY = 0.17
const BROADCAST_BINARY = 0.4
/** What an op on small tensors costs: dispatch, and its share of the graph optimizer's time. */
const SMALL = 0.015

/** Relative cost of one instruction. */
export const costOfOne = (instruction: Instruction, sizes: Sizes): number => {
  if (!isPass(instruction, sizes)) return SMALL
  const { op, inputs } = instruction
  const operand = inputs.map((input) => (typeof input === 'number' ? sizes.get(input)! : 'scalar'))
  if (operand.every((size) => size === 'full')) return PER_PASS[op] ?? FULL_BINARY
  return PER_PASS[op] ?? (operand.includes('scalar') ? SCALAR_BINARY : BROADCAST_BINARY)
}

/** Relative cost of a program; `passes` counts the instructions over full-size tensors. */
export const costOf = (
  instructions: readonly Instruction[],
  sizes: Sizes,
): { passes: number; small: number; cost: number } => {
  const passes = instructions.filter((instruction) => isPass(instruction, sizes)).length
  const cost = instructions.reduce((sum, instruction) => sum + costOfOne(instruction, sizes), 0)
  return { passes, small: instructions.length - passes, cost }
}
