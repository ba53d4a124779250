import { EPSILON, groupsFor } from '../../shared/ops.ts'
import type { Shape } from '../../shared/interpret.ts'
import type { Instruction, InstructionName, Operand, Size, Sizes } from '../../shared/symbolic/program.ts'

/**
 * Runs instructions in float64, every tensor spread out to its full shape: the plain meaning of a program. `bound` holds
 * the tensors made so far; the results join it.
 */
export const runProgram = (
  instructions: readonly Instruction[],
  sizes: Sizes,
  shape: Shape,
  groups: number,
  bound: Map<number, Float64Array>,
): void => {
  const [n, h, w, c] = shape
  const hw = h * w
  const k = c / groupsFor(c, groups)
  const count = { hw, n, c, k }
  const value = (operand: Operand): Float64Array => {
    if (typeof operand === 'number') return bound.get(operand)!
    const number = Object.entries(operand.powers).reduce(
      (all, [dimension, power]) => all * count[dimension as keyof typeof count] ** power,
      operand.value,
    )
    return new Float64Array(n * hw * c).fill(number)
  }
  /** Sums over the elements that fall in the same cell, once for each element of `from` that differs. */
  const summed = (a: Float64Array, from: Size, to: Size): Float64Array => {
    const cells = new Float64Array(n * c)
    a.forEach((v, i) => {
      if (!isFirst(i, from)) return
      cells[cellOf(i, to)]! += v
    })
    return a.map((_, i) => cells[cellOf(i, to)]!)
  }
  const cellOf = (i: number, size: Size): number => {
    const sample = Math.floor(i / (hw * c))
    const channel = i % c
    return (hasN(size) ? sample : 0) * c + (hasC(size) ? channel : 0)
  }
  const isFirst = (i: number, size: Size): boolean => {
    if (size === 'full') return true
    const sample = Math.floor(i / (hw * c))
    const position = Math.floor(i / c) % hw
    return position === 0 && (hasN(size) || sample === 0) && (hasC(size) || i % c === 0)
  }
  const sizeOf = (operand: Operand): Size => (typeof operand === 'number' ? sizes.get(operand)! : 'scalar')

  for (const { op, inputs, output, size } of instructions) {
    const [a, b] = inputs.map(value) as [Float64Array, Float64Array]
    if (op === 'sum') bound.set(output, summed(a, sizeOf(inputs[0]!), size))
    else if (op === 'variance') {
      const mean = summed(a, 'full', 'nc').map((v) => v / hw)
      const squares = a.map((v, i) => (v - mean[i]!) ** 2)
      bound.set(
        output,
        summed(squares, 'full', 'nc').map((v) => v / hw),
      )
    } else if (op === 'groupMean') {
      bound.set(
        output,
        a.map((_, i) => {
          const first = i - (i % c) + Math.floor((i % c) / k) * k
          let sum = 0
          for (let j = 0; j < k; j++) sum += a[first + j]!
          return sum / k
        }),
      )
    } else {
      const f = ELEMENTWISE[op]
      bound.set(
        output,
        a.map((v, i) => f(v, b?.[i] ?? 0)),
      )
    }
  }
}

const hasN = (size: Size): boolean => size === 'n' || size === 'nc' || size === 'full'
const hasC = (size: Size): boolean => size === 'c' || size === 'nc' || size === 'full'

const ELEMENTWISE: Record<
  Exclude<InstructionName, 'sum' | 'variance' | 'groupMean'>,
  (a: number, b: number) => number
> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => Math.max(a, b),
  reluGrad: (gradient, features) => (features > 0 ? gradient : 0),
  sigmoidGrad: (y, gradient) => gradient * y * (1 - y),
  tanhGrad: (y, gradient) => gradient * (1 - y * y),
  neg: (a) => -a,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  reciprocal: (a) => 1 / a,
  exp: Math.exp,
  log: Math.log,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  relu: (a) => Math.max(a, 0),
  abs: Math.abs,
  sign: Math.sign,
  guard: (a) => (Math.abs(a) >= EPSILON ? a : a < 0 ? -EPSILON : EPSILON),
  broadcast: (a) => a,
}
