import { negate, scale, termsOf, type Term } from './algebra.ts'
import {
  C,
  FULL,
  HW,
  keyOf,
  N,
  type Expression,
  type FunctionExpression,
  type Small,
  type Value,
} from './expression.ts'
import { createWriter, scalar, type Writer } from './instructions.ts'
import type { Multiplication } from './products.ts'
import type { Operand, Size } from './program.ts'

/** Size of a tensor that varies along `dims`. */
export const sizeOf = (dims: number): Size => {
  if (dims & HW) return 'full'
  if (dims & N) return dims & C ? 'nc' : 'n'
  return dims & C ? 'c' : 'scalar'
}

/** A summand: what it is, and whether it is subtracted. */
type Part = { readonly operand: Operand; readonly negative: boolean }

export type Emitter = {
  /** The tensor of a leaf. */
  readonly bind: (leaf: Expression, size: Size) => number
  /** Writes the instructions that compute a value, as far as they are not there yet; its tensor has the given size. */
  readonly emit: (value: Value, size: Size) => number
  readonly writer: Writer
}

/** Turns expressions into instructions, each expression once. */
export const createEmitter = (products: ReadonlyMap<Expression, Multiplication>): Emitter => {
  const writer = createWriter()
  const { unary, binary, sum } = writer
  const known = new Map<Expression, Operand>()
  const multiplied = new Map<Multiplication, Operand>()

  const expression = (e: Expression): Operand => {
    const found = known.get(e)
    if (found !== undefined) return found
    const made = written(e)
    known.set(e, made)
    return made
  }
  const written = (e: Expression): Operand => {
    switch (e.kind) {
      case 'leaf':
        throw new Error(`derivative: the input ${e.name} is not bound`)
      case 'dimension':
        return scalar(1, { [e.name]: 1 })
      case 'product':
        return multiplication(products.get(e)!)
      case 'sum':
        return value(e.value)
      case 'function':
        return call(e)
    }
  }

  const multiplication = (part: Multiplication): Operand => {
    if (part.op === 'factor') return expression(part.of)
    const found = multiplied.get(part)
    if (found !== undefined) return found
    const a = multiplication(part.a)
    const made = 'b' in part ? binary(part.op, a, multiplication(part.b)) : unary(part.op, a)
    multiplied.set(part, made)
    return made
  }

  const call = (e: FunctionExpression): Operand => {
    const [a, b] = e.inputs.map(expression) as [Operand, Operand]
    switch (e.name) {
      case 'max':
        return binary('max', a, b)
      case 'centred':
        return binary('sub', a, b)
      case 'reluGrad':
      case 'sigmoidGrad':
      case 'tanhGrad': {
        const size = sizeOf(e.dims)
        return writer.write(e.name, [writer.broadcast(a, size), writer.broadcast(b, size)], size)
      }
      case 'sum':
        return sum(a, sizeOf(e.dims))
      case 'groupSum':
        return binary('mul', writer.write('groupMean', [a], sizeOf(e.dims)), scalar(1, { k: 1 }))
      case 'variance':
        return variance(e, a)
      default:
        return unary(e.name, a)
    }
  }

  /**
   * Every variance is put together from the means and variances over space of each sample and channel, so that
   * one pass over the full-size tensor gives all of them: var = mean(var_hw) + var(mean_hw).
   */
  const variance = (e: FunctionExpression, of: Operand): Operand => {
    const from = e.inputs[0]!.dims
    const to = sizeOf(e.dims)
    let within: Operand | null = null
    let centre = of
    if (from === FULL) {
      within = writer.write('variance', [of], 'nc')
      if (to === 'nc' && !e.grouped) return within
      centre = binary('div', sum(of, 'nc'), scalar(1, { hw: 1 }))
    }
    const small = from === FULL ? N | C : from
    const average = (operand: Operand): Operand => {
      if (e.grouped) return writer.write('groupMean', [operand], sizeOf(small))
      const count = scalar(1, { ...(small & ~e.dims & N && { n: 1 }), ...(small & ~e.dims & C && { c: 1 }) })
      return binary('div', sum(operand, to), count)
    }
    const between = average(unary('square', binary('sub', centre, average(centre))))
    return within === null ? between : binary('add', average(within), between)
  }

  const value = (v: Value): Operand => {
    const terms = termsOf(v)
    const [first] = terms
    // Rather than −(F · k), where k is small, F · −k.
    if (terms.length === 1 && first!.of !== null && first!.by.terms.size > 0)
      return binary('mul', expression(first!.of), total(rest(first!.by)))
    const parts = shared(terms).flatMap((alike) => {
      const [{ by, of }] = alike
      if (alike.length > 1) return [factored(alike)]
      return of === null ? rest(by) : [term(of, by)]
    })
    return total(parts)
  }
  /** k · F + k · G as k · (F + G): one multiplication by k, which is small. */
  const factored = (terms: Alike): Part => {
    const [{ by }] = terms
    const lead = leadOf(by)
    const sum = total(
      terms.map(({ of, by: other }): Part => {
        const ratio = leadOf(other) / lead
        return { operand: binary('mul', expression(of!), scalar(Math.abs(ratio))), negative: ratio < 0 }
      }),
    )
    const negative = lead < 0
    return { operand: binary('mul', sum, total(rest(negative ? negate(by) : by))), negative }
  }
  const rest = (small: Small): Part[] => {
    const parts = [...small.terms]
      .sort(([a], [b]) => a.id - b.id)
      .map(([e, by]): Part => ({ operand: scaled(e, Math.abs(by)), negative: by < 0 }))
    if (small.rest !== 0) parts.push({ operand: scalar(Math.abs(small.rest)), negative: small.rest < 0 })
    return parts.length > 1 ? [{ operand: total(parts), negative: false }] : parts
  }
  /** by · e, the factors of e that are dimensions multiplied with the number. */
  const scaled = (e: Expression, by: number): Operand => binary('mul', expression(e), scalar(by))

  const term = (of: Expression, by: Small): Part => {
    const negative = leadOf(by) < 0
    const coefficient = total(rest(negative ? negate(by) : by))
    return { operand: binary('mul', expression(of), coefficient), negative }
  }

  const total = (parts: readonly Part[]): Operand => {
    const start = parts.findIndex(({ negative }) => !negative)
    if (start < 0) {
      const [first, ...others] = parts
      if (!first) return scalar(0)
      return unary('neg', total([{ ...first, negative: false }, ...others.map(flipped)]))
    }
    return parts
      .filter((_, i) => i !== start)
      .reduce<Operand>(
        (sum, { operand, negative }) => binary(negative ? 'sub' : 'add', sum, operand),
        parts[start]!.operand,
      )
  }

  return {
    writer,
    bind: (leaf, size) => {
      const tensor = writer.input(size)
      known.set(leaf, tensor)
      return tensor
    },
    emit: (v, size) => writer.materialize(value(v), size),
  }
}

type Alike = readonly [Term, ...Term[]]

/** Terms whose coefficients are multiples of one that is no number, together. */
const shared = (terms: readonly Term[]): Alike[] => {
  const groups = new Map<string, [Term, ...Term[]]>()
  for (const term of terms) {
    const { of, by } = term
    const key = of === null || by.terms.size === 0 ? `alone ${groups.size}` : keyOf(scale(by, 1 / leadOf(by)))
    const group = groups.get(key)
    if (group) group.push(term)
    else groups.set(key, [term])
  }
  return [...groups.values()]
}

const flipped = ({ operand, negative }: Part): Part => ({ operand, negative: !negative })

/** The number before the oldest term. */
const leadOf = (value: Small): number => {
  const [oldest] = [...value.terms].sort(([a], [b]) => a.id - b.id)
  return oldest ? oldest[1] : value.rest
}
