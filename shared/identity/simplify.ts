import { INPUTS, outputIndex, type Graph } from '../graph.ts'
import { liveNodes } from '../canonical.ts'
import { EPSILON } from '../ops.ts'
import { addendsOf, fromAddends, fromProduct, productOf, type Build } from './forms.ts'
import { RULES } from './rules.ts'
import { startOf } from './start.ts'
import { Terms, type Term } from './term.ts'

/** Rules never make a term grow for long; a pair that undid one another would be a defect, not a reason to hang. */
const MOST_REWRITES = 10_000

/**
 * The layer's output in simplest form (rules.ts). With an affine, what γ and β take over at the output is left out:
 * per-channel factors that start at 1 and addends that start at 0.
 */
export const simplify = (graph: Graph): Term => {
  const terms = new Terms()
  const known = new Map<Term, Term>()
  let rewrites = 0
  const build: Build = (op, ...inputs) =>
    op === 'zero' ? terms.input('zero') : rewritten(terms.op(op, inputs))
  const rewritten = (term: Term): Term => {
    const before = known.get(term)
    if (before) return before
    // While its own rules are at work, a term stands for itself.
    known.set(term, term)
    let result = term
    for (const { apply } of RULES) {
      const simpler = apply(term, build)
      if (simpler === null || simpler === term) continue
      if (++rewrites > MOST_REWRITES) throw new Error(`simplify: no end of rewriting ${term.text}`)
      result = simpler
      break
    }
    known.set(term, result)
    return result
  }

  const values: Term[] = INPUTS.map((name) => terms.input(name))
  for (const index of liveNodes(graph)) {
    const { op, inputs } = graph.nodes[index]!
    values[INPUTS.length + index] = build(op, ...inputs.map((input) => values[input]!))
  }
  const output = values[outputIndex(graph)]!
  return graph.affine ? absorbed(output, build) : output
}

/** Formulas that an affine makes equal, by which `absorbed` is tested. */
export const ABSORBED_EXAMPLES: readonly (readonly [before: string, after: string])[] = [
  ['x / std_hw(x) * v1', 'x / std_hw(x)'],
  ['tanh(x) + v0', 'tanh(x)'],
  ['tanh(x) + std_hw(0)', 'tanh(x)'],
  ['(tanh(x) + abs(v0)) / v1', 'tanh(x)'],
]

/** The output less what the affine takes over: γ · f(v) · y is γ · y at the start, and reaches the same functions. */
const absorbed = (output: Term, build: Build): Term => {
  const { plus, minus } = addendsOf(output)
  const stays = (term: Term): boolean => {
    const start = startOf(term)
    return start === null || Math.abs(start) > 2 * Math.sqrt(EPSILON)
  }
  let result = output
  if (![...plus, ...minus].every(stays)) result = fromAddends(plus.filter(stays), minus.filter(stays), build)
  const { sign, factors, denominators } = productOf(result)
  const scales = (term: Term): boolean => {
    const start = startOf(term)
    return start === null || Math.abs(start - 1) > EPSILON
  }
  if (![...factors, ...denominators].every(scales))
    result = fromProduct(
      { sign, factors: factors.filter(scales), denominators: denominators.filter(scales) },
      build,
    )
  // A layer that doesn't use x stays as it is: there is nothing to scale or shift.
  if (!result.facts.usesX) return output
  return result === output ? output : absorbed(result, build)
}
