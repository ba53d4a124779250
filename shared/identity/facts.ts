import { SCALAR } from '../interpret.ts'
import type { InputName } from '../graph.ts'
import { EPSILON, OPS, type BinaryOp, type IndexSet, type OpName, type UnaryOp } from '../ops.ts'
import { C, FULL } from '../symbolic/expression.ts'
import { AXES } from '../symbolic/reductions.ts'

/** What is known of a term's values without evaluating it. */
export type Facts = {
  /** Bit set of the axes along which the value varies (C, N, HW). */
  readonly dims: number
  /** Whether the channels of a group all have the same value. */
  readonly perGroup: boolean
  readonly usesX: boolean
  /** Bounds of the exact value, ε included; equal for a constant. */
  readonly lo: number
  readonly hi: number
}

const ANY = { lo: -Infinity, hi: Infinity }
export const INPUT_FACTS: Readonly<Record<InputName, Facts>> = {
  x: { dims: FULL, perGroup: false, usesX: true, ...ANY },
  zero: { dims: 0, perGroup: true, usesX: false, lo: 0, hi: 0 },
  v0: { dims: C, perGroup: false, usesX: false, ...ANY },
  v1: { dims: C, perGroup: false, usesX: false, ...ANY },
}

/** Whether a value has one number over every cell of the index set. */
export const isConstantOver = ({ dims, perGroup }: Facts, set: IndexSet): boolean =>
  (dims & AXES[set]) === 0 && (set !== 'hwg' || perGroup)

type Interval = readonly [lo: number, hi: number]

const product = ([a, b]: Interval, [c, d]: Interval): Interval => {
  // 0 · ∞ is 0 here: a bound that is reached only in the limit.
  const corners = [a * c, a * d, b * c, b * d].map((p) => (Number.isNaN(p) ? 0 : p))
  return [Math.min(...corners), Math.max(...corners)]
}
/** 1 / b as the op table has it: the denominator's magnitude is at least ε, 0 counting as positive. */
const inverse = ([lo, hi]: Interval): Interval => {
  if (lo >= 0) return [1 / Math.max(hi, EPSILON), 1 / Math.max(lo, EPSILON)]
  if (hi < 0) return [1 / Math.min(hi, -EPSILON), 1 / Math.min(lo, -EPSILON)]
  return [-1 / EPSILON, 1 / EPSILON]
}
const magnitude = ([lo, hi]: Interval): Interval => [
  lo > 0 ? lo : hi < 0 ? -hi : 0,
  Math.max(Math.abs(lo), Math.abs(hi)),
]

/** Bounds of an op's value from those of its operands. */
const boundsOf = (op: OpName, a: Interval, b: Interval, constantOverSet: boolean): Interval => {
  const { moment } = OPS[op]
  if (moment === 'mean') return a
  if (moment === 'rms') {
    const [least, most] = magnitude(a)
    return [Math.sqrt(least ** 2 + EPSILON), Math.sqrt(most ** 2 + EPSILON)]
  }
  if (moment === 'std')
    return [
      Math.sqrt(EPSILON),
      constantOverSet ? Math.sqrt(EPSILON) : Math.sqrt((a[1] - a[0]) ** 2 / 4 + EPSILON),
    ]
  const f = SCALAR[op as BinaryOp | UnaryOp]
  switch (op) {
    case 'add':
      return [a[0] + b[0], a[1] + b[1]]
    case 'mul':
      return product(a, b)
    case 'div':
      return product(a, inverse(b))
    case 'max':
      return [Math.max(a[0], b[0]), Math.max(a[1], b[1])]
    case 'neg':
      return [-a[1], -a[0]]
    case 'abs':
      return magnitude(a)
    case 'square': {
      const [least, most] = magnitude(a)
      return [least ** 2, most ** 2]
    }
    case 'log':
      return a[0] === a[1] ? [f(a[0], 0), f(a[0], 0)] : [-Infinity, Infinity]
    default:
      // sigmoid, tanh, exp and the signed root never fall.
      return [f(a[0], 0), f(a[1], 0)]
  }
}

/** The facts of an op's value from those of its operands; a unary op has its one operand twice. */
export const factsOf = (op: OpName, a: Facts, b: Facts): Facts => {
  const { over } = OPS[op]
  const usesX = a.usesX || b.usesX
  const [lo, hi] = boundsOf(op, [a.lo, a.hi], [b.lo, b.hi], over !== undefined && isConstantOver(a, over))
  if (lo === hi && Number.isFinite(lo)) return { dims: 0, perGroup: true, usesX: false, lo, hi }
  const dims = over ? a.dims & ~AXES[over] : a.dims | b.dims
  const perGroup = (dims & C) === 0 || over === 'hwg' || (a.perGroup && b.perGroup)
  return { dims, perGroup, usesX, lo, hi }
}
