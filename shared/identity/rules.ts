/**
 * What makes one formula of another: identities of the primitives, exact with their ε. Each takes a
 * term whose operands are simplified already and gives a simpler equal one, or null. `examples` are formulas before and
 * after (shared/formula.ts), by which the rules are tested against values made with PyTorch.
 */
import { OPS, type OpName } from '../ops.ts'
import { isConstantOver } from './facts.ts'
import { addendsOf, fromAddends, fromProduct, is, productOf, products, sums, type Build } from './forms.ts'
import { byText, type Term } from './term.ts'

export type Rule = {
  readonly name: string
  readonly examples: readonly (readonly [before: string, after: string])[]
  readonly apply: (term: Term, build: Build) => Term | null
}

/** What remains of a maximum: each operand once, and none that another one never falls below. */
const maxima: Rule['apply'] = (term, build) => {
  if (!is(term, 'max')) return null
  const spread = (part: Term): Term[] => (is(part, 'max') ? part.inputs.flatMap(spread) : [part])
  const operands = [...new Set(spread(term))].sort(byText)
  const kept = operands.filter(
    (one, i) =>
      !operands.some(
        (other, j) => i !== j && other.facts.lo >= one.facts.hi && (j < i || one.facts.lo < other.facts.hi),
      ),
  )
  return kept.reduce((all, part) => build('max', all, part))
}

/** Index sets within another one: the mean over the larger one of means over the smaller one is the mean over the larger. */
const WITHIN: Readonly<Record<string, readonly string[]>> = {
  mean_nhw: ['mean_hw'],
  mean_hwc: ['mean_hw', 'mean_hwg'],
  mean_hwg: ['mean_hw'],
}

const moment =
  (
    which: 'mean' | 'rms' | 'std',
    apply: (term: Term, inner: Term, build: Build) => Term | null,
  ): Rule['apply'] =>
  (term, build) =>
    term.inputs.length === 1 && OPS[term.op as OpName].moment === which
      ? apply(term, term.inputs[0]!, build)
      : null
const setOf = (term: Term) => OPS[term.op as OpName].over!

const unary =
  (ops: readonly OpName[], apply: (term: Term, inner: Term, build: Build) => Term | null): Rule['apply'] =>
  (term, build) =>
    ops.includes(term.op as OpName) ? apply(term, term.inputs[0]!, build) : null

const unchanged = (term: Term, other: Term | null): Term | null => (other === term ? null : other)

export const RULES: readonly Rule[] = [
  {
    name: 'sums: in one order, without 0, a and -a cancel',
    examples: [
      ['x + 0', 'x + 0'],
      ['(x + v0) + v1', 'x + (v1 + v0)'],
      ['x + v1 - x', 'v1 + 0'],
      ['-(x - v1)', 'v1 - x'],
      ['-x - v1', '-(x + v1)'],
    ],
    apply: (term, build) => unchanged(term, sums(term, build)),
  },
  {
    name: 'products: in one order, without 1, signs outside, equal factors as squares, quotients of products',
    examples: [
      ['x * 0', '0 + 0'],
      ['0 / x', '0 + 0'],
      ['x * 1', 'x + 0'],
      ['x / 1', 'x + 0'],
      ['-(-x)', 'x + 0'],
      ['-x * v1', '-(x * v1)'],
      ['(x * v1) * v0', 'x * (v0 * v1)'],
      ['x * x', 'square(x)'],
      ['square(-x)', 'square(x)'],
      ['square(x * v1)', 'square(x) * square(v1)'],
      ['x * (v1 / v0)', 'x * v1 / v0'],
      ['x / v0 / v1', 'x / v1 / v0'],
      ['exp(x) * std_hw(x) / std_hw(x)', 'exp(x)'],
      ['x / (-std_hw(x))', '-(x / std_hw(x))'],
    ],
    apply: (term, build) => unchanged(term, products(term, build)),
  },
  {
    name: 'maxima: in one order, each operand once, none that another never falls below',
    examples: [
      ['max(x, x)', 'x + 0'],
      ['max(x, max(v1, x))', 'max(v1, x)'],
      ['max(sigmoid(x), -exp(x))', 'sigmoid(x)'],
      ['max(max(x, 0), 0)', 'max(x, 0)'],
    ],
    apply: (term, build) => unchanged(term, maxima(term, build)),
  },
  {
    name: 'odd functions: the sign outside',
    examples: [
      ['tanh(-x)', '-tanh(x)'],
      ['log(-x)', '-log(x)'],
      ['sqrt(-x)', '-sqrt(x)'],
      ['mean_hw(-x)', '-mean_hw(x)'],
    ],
    apply: unary(
      ['tanh', 'log', 'sqrt', 'mean_nhw', 'mean_hwc', 'mean_hw', 'mean_hwg'],
      (term, inner, build) =>
        is(inner, 'neg') ? build('neg', build(term.op as OpName, inner.inputs[0]!)) : null,
    ),
  },
  {
    name: 'even functions: no sign, no magnitude',
    examples: [
      ['abs(-x)', 'abs(x)'],
      ['square(abs(x))', 'square(x)'],
      ['rms_hw(-x)', 'rms_hw(x)'],
      ['rms_hwg(abs(x))', 'rms_hwg(x)'],
      ['std_hw(-x)', 'std_hw(x)'],
    ],
    apply: (term, build) => {
      const [inner] = term.inputs
      const moment = OPS[term.op as OpName]?.moment
      const even = is(term, 'abs') || is(term, 'square') || moment === 'rms' || moment === 'std'
      if (!even || !inner) return null
      const drops = is(inner, 'neg') || (is(inner, 'abs') && moment !== 'std')
      return drops ? build(term.op as OpName, inner.inputs[0]!) : null
    },
  },
  {
    name: 'magnitudes: of what has one sign, of products and roots',
    examples: [
      ['abs(exp(x))', 'exp(x)'],
      ['abs(-exp(x))', 'exp(x)'],
      ['abs(x * v1)', 'abs(x) * abs(v1)'],
      ['abs(x / v1)', 'abs(x) / abs(v1)'],
      ['abs(sqrt(x))', 'sqrt(abs(x))'],
    ],
    apply: unary(['abs'], (_, inner, build) => {
      if (inner.facts.lo >= 0) return inner
      if (inner.facts.hi <= 0) return build('neg', inner)
      if (is(inner, 'sqrt')) return build('sqrt', build('abs', inner.inputs[0]!))
      if (!is(inner, 'mul') && !is(inner, 'div')) return null
      return build(inner.op as OpName, ...inner.inputs.map((input) => build('abs', input)))
    }),
  },
  {
    name: 'means: of what does not vary, of sums and multiples, of means over less',
    examples: [
      ['mean_hw(v0)', 'v0 + 0'],
      ['mean_hw(x + v0)', 'mean_hw(x) + v0'],
      ['mean_nhw(x * v1 / v0)', 'mean_nhw(x) * v1 / v0'],
      ['mean_nhw(mean_hw(x))', 'mean_nhw(x)'],
      ['mean_hwc(mean_hwg(x))', 'mean_hwc(x)'],
    ],
    apply: moment('mean', (term, inner, build) => {
      const set = setOf(term)
      const op = term.op as OpName
      if (isConstantOver(inner.facts, set)) return inner
      if (WITHIN[op]?.includes(inner.op)) return build(op, inner.inputs[0]!)
      const fixed = ({ facts }: Term): boolean => isConstantOver(facts, set)
      if (is(inner, 'add')) {
        const { plus, minus } = addendsOf(inner)
        if (![...plus, ...minus].some(fixed)) return null
        const varying = (terms: Term[]): Term[] => terms.filter((part) => !fixed(part))
        const mean = build(op, fromAddends(varying(plus), varying(minus), build))
        return fromAddends([...plus.filter(fixed), mean], minus.filter(fixed), build)
      }
      const { sign, factors, denominators } = productOf(inner)
      if (![...factors, ...denominators].some(fixed)) return null
      const varying = (terms: Term[]): Term[] => terms.filter((part) => !fixed(part))
      const inside = fromProduct(
        { sign: 1, factors: varying(factors), denominators: varying(denominators) },
        build,
      )
      const outside = {
        sign,
        factors: [build(op, inside), ...factors.filter(fixed)],
        denominators: denominators.filter(fixed),
      }
      return fromProduct(outside, build)
    }),
  },
  {
    name: 'spread: a shift that does not vary changes nothing',
    examples: [
      ['std_hw(x + v0)', 'std_hw(x)'],
      ['std_nhw(x - mean_nhw(x))', 'std_nhw(x)'],
      ['std_hw(v1)', 'std_hw(0)'],
    ],
    apply: moment('std', (term, inner, build) => {
      if (!is(inner, 'add')) return null
      const { plus, minus } = addendsOf(inner)
      const varying = (terms: Term[]): Term[] =>
        terms.filter(({ facts }) => !isConstantOver(facts, setOf(term)))
      const [up, down] = [varying(plus), varying(minus)]
      if (up.length + down.length === plus.length + minus.length) return null
      return build(term.op as OpName, fromAddends(up, down, build))
    }),
  },
]
