import { SCALAR } from '../interpret.ts'
import { EPSILON, OPS, type BinaryOp, type UnaryOp } from '../ops.ts'
import type { Term } from './term.ts'

/** Terms share their operands: each is worked out once. */
const known = new WeakMap<Term, { readonly start: number | null }>()

/** The value at the start of training (v0 = 0, v1 = 1) of what depends on neither x nor the place; null for anything else. */
export const startOf = (term: Term): number | null => {
  let found = known.get(term)
  if (!found) known.set(term, (found = { start: valueOf(term) }))
  return found.start
}

const valueOf = (term: Term): number | null => {
  if (term.op === 'x') return null
  if (term.op === 'zero' || term.op === 'v0') return 0
  if (term.op === 'v1') return 1
  const [a, b = 0] = term.inputs.map(startOf)
  if (a === null || a === undefined || b === null) return null
  const { moment } = OPS[term.op]
  if (moment === 'mean') return a
  if (moment) return Math.sqrt((moment === 'rms' ? a * a : 0) + EPSILON)
  return SCALAR[term.op as BinaryOp | UnaryOp](a, b)
}
