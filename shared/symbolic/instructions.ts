import {
  DIMENSIONS,
  SIZES,
  type Dimension,
  type Instruction,
  type InstructionName,
  type Operand,
  type Scalar,
  type Size,
} from './program.ts'

/** A number times powers of the dimensions. */
export const scalar = (value: number, powers: Partial<Record<Dimension, number>> = {}): Scalar => ({
  value,
  powers: { hw: 0, n: 0, c: 0, k: 0, ...powers },
})
const isNumber = ({ powers }: Scalar): boolean => DIMENSIONS.every((dimension) => powers[dimension] === 0)

const folded = (op: InstructionName, a: Scalar, b: Scalar): Scalar | null => {
  if (op === 'mul' || op === 'div') {
    const sign = op === 'mul' ? 1 : -1
    const powers = DIMENSIONS.map((d) => [d, a.powers[d] + sign * b.powers[d]] as const)
    return scalar(op === 'mul' ? a.value * b.value : a.value / b.value, Object.fromEntries(powers))
  }
  if (!isNumber(a) || !isNumber(b)) return null
  if (op === 'add') return scalar(a.value + b.value)
  return op === 'sub' ? scalar(a.value - b.value) : null
}
const isExactly = (operand: Operand, value: number): boolean =>
  typeof operand !== 'number' && operand.value === value && isNumber(operand)

/** The smallest size that both broadcast to. */
const union = (a: Size, b: Size): Size => {
  if ((a === 'c' && b === 'n') || (a === 'n' && b === 'c')) return 'nc'
  return SIZES.indexOf(a) > SIZES.indexOf(b) ? a : b
}

export type Writer = {
  readonly instructions: Instruction[]
  readonly sizes: Map<number, Size>
  readonly input: (size: Size) => number
  readonly write: (op: InstructionName, inputs: readonly Operand[], size: Size) => number
  readonly unary: (op: InstructionName, a: Operand) => Operand
  readonly binary: (op: 'add' | 'sub' | 'mul' | 'div' | 'max', a: Operand, b: Operand) => Operand
  readonly sum: (a: Operand, size: Size) => Operand
  readonly broadcast: (a: Operand, size: Size) => Operand
  /** The operand as a tensor of a size. */
  readonly materialize: (a: Operand, size: Size) => number
}

/** Writes instructions; equal ones once, operations on constants folded. */
export const createWriter = (): Writer => {
  const instructions: Instruction[] = []
  const sizes = new Map<number, Size>()
  const written = new Map<string, number>()

  const sizeOf = (operand: Operand): Size => (typeof operand === 'number' ? sizes.get(operand)! : 'scalar')
  const input = (size: Size): number => {
    const tensor = sizes.size
    sizes.set(tensor, size)
    return tensor
  }
  const write = (op: InstructionName, inputs: readonly Operand[], size: Size): number => {
    const key = `${op} ${size} ${inputs.map((i) => (typeof i === 'number' ? i : JSON.stringify(i))).join()}`
    const found = written.get(key)
    if (found !== undefined) return found
    const output = input(size)
    instructions.push({ op, inputs, output, size })
    written.set(key, output)
    return output
  }
  const broadcast = (a: Operand, size: Size): Operand =>
    sizeOf(a) === size ? a : write('broadcast', [a], size)

  return {
    instructions,
    sizes,
    input,
    write,
    broadcast,
    materialize: (a, size) =>
      typeof a === 'number' && sizeOf(a) === size ? a : write('broadcast', [a], size),
    unary: (op, a) => {
      if (typeof a !== 'number') {
        if (op === 'neg') return scalar(-a.value, a.powers)
        if (op === 'reciprocal') return folded('div', scalar(1), a)!
        if (op === 'square') return folded('mul', a, a)!
      }
      return write(op, [a], sizeOf(a))
    },
    binary: (op, a, b) => {
      if (typeof a !== 'number' && typeof b !== 'number') {
        const constant = folded(op, a, b)
        if (constant) return constant
      }
      if ((op === 'mul' || op === 'div') && isExactly(b, 1)) return a
      if (op === 'mul' && isExactly(a, 1)) return b
      if ((op === 'add' || op === 'sub') && isExactly(b, 0)) return a
      if (op === 'div' && isExactly(a, 1)) return write('reciprocal', [b], sizeOf(b))
      return write(op, [a, b], union(sizeOf(a), sizeOf(b)))
    },
    sum: (a, size) => {
      // Every sum of a full-size tensor starts from its sums over space: one pass, whatever is summed further.
      const small = sizeOf(a) === 'full' ? write('sum', [a], 'nc') : a
      return sizeOf(small) === size ? small : write('sum', [small], size)
    },
  }
}
