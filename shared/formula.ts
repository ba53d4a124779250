import { INPUTS, outputIndex, type Graph, type GraphNode, type InputName } from './graph.ts'
import { OP_NAMES, OPS, type IndexSet, type OpName } from './ops.ts'
import { requireLegal } from './rules.ts'

/** Binding strength, loosest first: sums, products, prefix minus, atoms. */
type Part = { readonly text: string; readonly level: 0 | 1 | 2 | 3 }
type Notation = {
  readonly input: Readonly<Record<InputName, string>>
  readonly wrap: (inner: string) => string
  readonly op: (node: GraphNode, parts: readonly Part[], at: (part: Part, level: number) => string) => Part
}

const render = (graph: Graph, notation: Notation): string => {
  const parts: Part[] = INPUTS.map((name) => ({ text: notation.input[name], level: 3 }))
  const at = (part: Part, level: number): string =>
    part.level < level ? notation.wrap(part.text) : part.text
  for (const node of graph.nodes)
    parts.push(
      notation.op(
        node,
        node.inputs.map((input) => parts[input]!),
        at,
      ),
    )
  return parts[outputIndex(graph)]!.text
}

// a + -b reads better as a - b
const plus = (a: string, b: string, negated: boolean): string =>
  negated ? `${a} - ${b.slice(1)}` : `${a} + ${b}`

const TEXT: Notation = {
  input: { x: 'x', zero: '0', v0: 'v0', v1: 'v1' },
  wrap: (inner) => `(${inner})`,
  op: ({ op }, [a, b], at) => {
    if (op === 'add') return { text: plus(at(a!, 0), at(b!, 1), b!.level === 2), level: 0 }
    if (op === 'mul') return { text: `${at(a!, 1)} * ${at(b!, 2)}`, level: 1 }
    if (op === 'div') return { text: `${at(a!, 1)} / ${at(b!, 2)}`, level: 1 }
    if (op === 'neg') return { text: `-${at(a!, 2)}`, level: 2 }
    return { text: `${op}(${b ? `${a!.text}, ${b.text}` : a!.text})`, level: 3 }
  },
}

const INDICES: Record<IndexSet, string> = { nhw: 'b,w,h', hwc: 'w,h,c', hw: 'w,h', hwg: 'w,h,c/g' }
const aggregateLatex = (op: OpName, inner: string): string => {
  const { moment, over } = OPS[op]
  const set = `_{${INDICES[over!]}}`
  if (moment === 'mean') return `\\operatorname{E}${set}\\left[${inner}\\right]`
  if (moment === 'rms') return `\\sqrt{\\operatorname{E}${set}\\left[\\left(${inner}\\right)^2\\right]}`
  return `s${set}\\left(${inner}\\right)`
}

const LATEX: Notation = {
  input: { x: 'x', zero: '0', v0: 'v_0', v1: 'v_1' },
  wrap: (inner) => `\\left(${inner}\\right)`,
  op: ({ op }, [a, b], at) => {
    const call = (name: string): Part => ({ text: `${name}\\left(${a!.text}\\right)`, level: 3 })
    if (op === 'add') return { text: plus(at(a!, 0), at(b!, 1), b!.level === 2), level: 0 }
    if (op === 'mul') return { text: `${at(a!, 1)} \\cdot ${at(b!, 2)}`, level: 1 }
    if (op === 'div') return { text: `\\frac{${a!.text}}{${b!.text}}`, level: 3 }
    if (op === 'max') return { text: `\\max\\left(${a!.text}, ${b!.text}\\right)`, level: 3 }
    if (op === 'neg') return { text: `-${at(a!, 2)}`, level: 2 }
    if (op === 'sigmoid') return call('\\sigma')
    if (op === 'tanh') return call('\\tanh')
    if (op === 'exp') return { text: `e^{${a!.text}}`, level: 3 }
    if (op === 'log') return call('\\operatorname{slog}')
    if (op === 'sqrt') return call('\\operatorname{ssqrt}')
    if (op === 'abs') return { text: `\\left|${a!.text}\\right|`, level: 3 }
    if (op === 'square') return { text: `\\left(${a!.text}\\right)^2`, level: 3 }
    return { text: aggregateLatex(op, a!.text), level: 3 }
  },
}

/** One line of readable text, `x * sigmoid(v1 * x) / std_hwg(x)`; γ and β are understood. Read back by `parseFormula`. */
export const formulaText = (graph: Graph): string => render(graph, TEXT)

/** LaTeX of the layer; s is the (biased) standard deviation; slog and ssqrt are the signed logarithm and root. */
export const formulaLatex = (graph: Graph): string => render(graph, LATEX)

type Token = { readonly text: string; readonly at: number }

const tokens = (formula: string): Token[] => {
  const found: Token[] = []
  const pattern = /\s*([a-z_][a-z_0-9]*|[()+\-*/,·]|\d+(?:\.\d+)?|\S)/giy
  for (let match = pattern.exec(formula); match; match = pattern.exec(formula))
    found.push({ text: match[1] === '·' ? '*' : match[1]!, at: pattern.lastIndex - match[1]!.length })
  return found
}

/**
 * A graph from the text of `formulaText` (with `a - b` and the constants 0 and 1 allowed: 1 is exp(0)).
 * Equal sub-expressions become one node. Errors name the position.
 */
export const parseFormula = (formula: string, affine = true): Graph => {
  const input = tokens(formula)
  const nodes: GraphNode[] = []
  const known = new Map<string, number>()
  let position = 0

  const fail = (needed: string): never => {
    const token = input[position]
    throw new Error(
      token
        ? `formula: position ${token.at + 1}: needed ${needed}, got "${token.text}"`
        : `formula: needed ${needed}, got the end of "${formula}"`,
    )
  }
  const peek = (): string | undefined => input[position]?.text
  const expect = (text: string): void => {
    if (peek() !== text) fail(`"${text}"`)
    position++
  }
  const node = (op: OpName, ...inputs: number[]): number => {
    const key = `${op}(${inputs.join(',')})`
    const same = known.get(key)
    if (same !== undefined) return same
    nodes.push({ op, inputs })
    known.set(key, INPUTS.length + nodes.length - 1)
    return INPUTS.length + nodes.length - 1
  }
  const call = (op: OpName): number => {
    expect('(')
    const inputs = [sum()]
    while (peek() === ',') {
      position++
      inputs.push(sum())
    }
    if (inputs.length !== OPS[op].arity)
      fail(`${OPS[op].arity} arguments of ${op} and not ${inputs.length}, then ")"`)
    expect(')')
    return node(op, ...inputs)
  }
  const atom = (): number => {
    const text = peek()
    if (text === '(') {
      position++
      const inner = sum()
      expect(')')
      return inner
    }
    if (text === '-') {
      position++
      return node('neg', atom())
    }
    const names: Record<string, () => number> = {
      x: () => 0,
      '0': () => 1,
      zero: () => 1,
      v0: () => 2,
      v1: () => 3,
      '1': () => node('exp', 1),
    }
    const name = text === undefined ? undefined : names[text]
    if (name) {
      position++
      return name()
    }
    if (OP_NAMES.includes(text as OpName)) {
      position++
      return call(text as OpName)
    }
    return fail('x, v0, v1, 0, 1, an op or "("')
  }
  const product = (): number => {
    let left = atom()
    for (let text = peek(); text === '*' || text === '/'; text = peek()) {
      position++
      left = node(text === '*' ? 'mul' : 'div', left, atom())
    }
    return left
  }
  const sum = (): number => {
    let left = product()
    for (let text = peek(); text === '+' || text === '-'; text = peek()) {
      position++
      const right = product()
      left = node('add', left, text === '+' ? right : node('neg', right))
    }
    return left
  }

  const output = sum()
  if (position < input.length) fail('an operator or the end')
  if (output < INPUTS.length) node('add', output, 1)
  else if (output !== INPUTS.length + nodes.length - 1) nodes.push(nodes[output - INPUTS.length]!)
  return requireLegal({ version: 1, nodes, affine }, 'formula')
}
