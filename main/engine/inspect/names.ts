/** Names and sizes of a program's tensors, as `inspect` writes them. */
import {
  DIMENSIONS,
  type Operand,
  type Scalar,
  type Size,
  type Sizes,
} from '../../../shared/symbolic/program.ts'

/** Tensors by what they are called; others are called by their number. */
export type Names = ReadonlyMap<number, string>

export const nameOf = (names: Names, tensor: number): string => names.get(tensor) ?? `t${tensor}`

/** Shapes of the sizes: batch n, height h, width w, channels c. */
export const SHAPES: Readonly<Record<Size, string>> = {
  scalar: '[]',
  c: '[c]',
  n: '[n]',
  nc: '[n, c]',
  full: '[n, h, w, c]',
}

/** `2/(hw·n)`: hw is the number of pixels, k that of channels in a group. */
export const scalarText = ({ value, powers }: Scalar): string => {
  const part = (sign: 1 | -1): string[] =>
    DIMENSIONS.flatMap((d) => Array.from({ length: Math.max(0, sign * powers[d]) }, () => d))
  const [over, under] = [part(1), part(-1)]
  const number = Number(value.toPrecision(7))
  const top = [...(number === 1 && over.length > 0 ? [] : [String(number)]), ...over].join('·')
  if (under.length === 0) return top
  return `${top}/${under.length > 1 ? `(${under.join('·')})` : under[0]}`
}

export const operandText = (names: Names, operand: Operand): string =>
  typeof operand === 'number' ? nameOf(names, operand) : scalarText(operand)

/** The axes that a sum goes over. */
export const summedOver = (from: Size, to: Size): string => {
  const axes: Readonly<Record<Size, string>> = { scalar: '', c: 'c', n: 'n', nc: 'nc', full: 'nhwc' }
  return [...axes[from]].filter((axis) => !axes[to].includes(axis)).join('')
}

export const sizeOf = (sizes: Sizes, operand: Operand): Size =>
  typeof operand === 'number' ? sizes.get(operand)! : 'scalar'
