import { EPSILON, INDEX_SETS, type BinaryOp, type UnaryOp } from '../ops.ts'
import { SCALAR } from '../interpret.ts'
import {
  add,
  atLeast,
  atMost,
  equal,
  from,
  fromSmall,
  isNumber,
  isZero,
  negate,
  number,
  ONE,
  scale,
  subtract,
  ZERO,
  type Algebra,
} from './algebra.ts'
import { isFull, type FunctionName, type Value } from './expression.ts'
import type { Reductions } from './reductions.ts'

export type Functions = ReturnType<typeof createFunctions>

/** The primitives of shared/ops.ts on linear combinations, each in the form that needs the fewest passes. */
export const createFunctions = (algebra: Algebra, reductions: Reductions) => {
  const { arena, multiply, invert, whole, single, fromTerm } = algebra

  const apply = (name: FunctionName, ...values: Value[]): Value =>
    from(
      arena.apply(
        name,
        values.map((value) => whole(value)),
      ),
    )

  /** A value with its leading sign taken off: −x + m is −(x − m). */
  const unsigned = (value: Value): { sign: 1 | -1; value: Value } => {
    const ages = [...value.terms.keys()].sort((a, b) => a.id - b.id)
    const by = ages[0] && value.terms.get(ages[0])!
    const lead =
      typeof by === 'object' ? ([...by.terms].sort(([a], [b]) => a.id - b.id)[0]?.[1] ?? by.rest) : by
    return (lead ?? 0) < 0 ? { sign: -1, value: negate(value) } : { sign: 1, value }
  }
  const odd = (name: FunctionName, value: Value): Value => {
    const { sign, value: inner } = unsigned(value)
    return sign === 1 ? apply(name, inner) : negate(apply(name, inner))
  }

  const sign = (value: Value): Value => {
    if (atLeast(value, Number.MIN_VALUE)) return ONE
    if (atMost(value, -Number.MIN_VALUE)) return number(-1)
    const { by, of } = single(value)
    if (of === null) return ZERO
    const outer = isNumber(by) ? number(Math.sign(by.rest)) : sign(by)
    return multiply(outer, odd('sign', fromTerm({ by: ONE, of })))
  }

  const abs = (value: Value): Value => {
    if (atLeast(value, 0)) return value
    if (atMost(value, 0)) return negate(value)
    const { by, of } = single(value)
    if (isNumber(by)) return multiply(number(Math.abs(by.rest)), apply('abs', fromTerm({ by: ONE, of })))
    return multiply(abs(by), apply('abs', fromTerm({ by: ONE, of })))
  }

  const relu = (value: Value): Value => {
    if (atLeast(value, 0)) return value
    if (atMost(value, 0)) return ZERO
    if (value.terms.size === 1) {
      const { by, of } = single(value)
      if (of !== null && atLeast(by, 0)) return multiply(by, apply('relu', fromTerm({ by: ONE, of })))
      if (of !== null && atMost(by, 0))
        return multiply(negate(by), apply('relu', fromTerm({ by: number(-1), of })))
    }
    return apply('relu', value)
  }

  const max = (a: Value, b: Value): Value => {
    if (equal(a, b)) return a
    const difference = subtract(b, a)
    if (atMost(difference, 0)) return a
    if (atLeast(difference, 0)) return b
    if (isZero(a)) return relu(b)
    if (isZero(b)) return relu(a)
    // a + relu(b − a) keeps a per-channel or per-sample operand out of the full-size maximum.
    if (isFull(a) !== isFull(b))
      return isFull(a) ? add(b, relu(negate(difference))) : add(a, relu(difference))
    const [of] = difference.terms.keys()
    const fewer = isFull(a) && isFull(difference) && difference.terms.size === 1 && isZero(difference.rest)
    // … and so does it where both have terms that the difference has not; of multiples of one term it would be more.
    if (fewer && !(a.terms.size === 1 && a.terms.has(of!))) return add(a, relu(difference))
    return apply('max', a, b)
  }

  /** The denominator with magnitude at least ε. */
  const guard = (value: Value): Value =>
    atLeast(value, EPSILON) || atMost(value, -EPSILON) ? value : apply('guard', value)

  /** sign(x) · f(|x| + ε) */
  const signed = (name: 'log' | 'sqrt', value: Value): Value =>
    multiply(sign(value), apply(name, add(abs(value), number(EPSILON))))

  /** F − mean(F) as one expression of its own, so that what is summed of it later does not cancel. */
  const centred = (value: Value): Value => {
    const [[of, by] = []] = isFull(value) && value.terms.size === 1 ? value.terms : []
    if (!isFull(value) || !of || !by || !isNumber(by)) return value
    for (const set of INDEX_SETS) {
      const [[mean, q] = []] = reductions.mean(from(of), set).terms
      if (!mean || !q || value.rest.terms.get(mean) !== -by.rest * q) continue
      const rest = add(value.rest, fromSmall(mean, by.rest * q))
      const difference = apply('centred', from(of), scale(fromSmall(mean), q))
      return add(scale(difference, by.rest), rest)
    }
    return value
  }

  const table: Record<BinaryOp | UnaryOp, (a: Value, b: Value) => Value> = {
    add: (a, b) => centred(add(a, b)),
    mul: multiply,
    div: (a, b) => multiply(a, invert(guard(b))),
    max,
    neg: negate,
    sigmoid: (a) => apply('sigmoid', a),
    tanh: (a) => odd('tanh', a),
    exp: (a) => apply('exp', a),
    log: (a) => signed('log', a),
    abs,
    square: (a) => multiply(a, a),
    sqrt: (a) => signed('sqrt', a),
  }

  /** One primitive; of numbers, a number. */
  const primitive = (op: BinaryOp | UnaryOp, a: Value, b: Value = ZERO): Value =>
    isNumber(a) && isNumber(b) ? number(SCALAR[op](a.rest, b.rest)) : table[op](a, b)

  /** √value of a positive value. */
  const root = (value: Value): Value =>
    isNumber(value) ? number(Math.sqrt(value.rest)) : apply('sqrt', value)

  return { apply, abs, sign, root, primitive }
}
