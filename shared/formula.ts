import { INPUTS, outputIndex, type Graph, type GraphNode, type InputName } from './graph.ts'
import { OP_NAMES, OPS, type IndexSet, type OpName } from './ops.ts'
import { requireLegal } from './rules.ts'

/** Binding strength, loosest first: sums, products, prefix minus, atoms. `minus` is what a minus sign negates. */
type Part = { readonly text: string; readonly level: 0 | 1 | 2 | 3; readonly minus?: string }
type Notation = {
  readonly input: Readonly<Record<InputName, string>>
  readonly wrap: (inner: string) => string
  readonly op: (node: GraphNode, parts: readonly Part[], at: (part: Part, level: number) => string) => Part
}

/** Shared sub-expressions are written out, so that text can double with every node: past this it is cut. */
const LONGEST = 16384

const render = (graph: Graph, notation: Notation): string => {
  const parts: Part[] = INPUTS.map((name) => ({ text: notation.input[name], level: 3 }))
  const at = (part: Part, level: number): string =>
    part.level < level ? notation.wrap(part.text) : part.text
  for (const node of graph.nodes) {
    const operands = node.inputs.map((input) => parts[input]!)
    // exp(zero) is how the space writes the constant 1.
    const one = node.op === 'exp' && node.inputs[0] === INPUTS.indexOf('zero')
    const part: Part = one ? { text: '1', level: 3 } : notation.op(node, operands, at)
    parts.push(part.text.length > LONGEST ? { text: '…', level: 3 } : part)
  }
  return parts[outputIndex(graph)]!.text
}

const TEXT: Notation = {
  input: { x: 'x', zero: '0', v0: 'v0', v1: 'v1' },
  wrap: (inner) => `(${inner})`,
  op: ({ op }, [a, b], at) => {
    if (op === 'add')
      return { text: b!.minus ? `${a!.text} - ${b!.minus}` : `${a!.text} + ${at(b!, 1)}`, level: 0 }
    if (op === 'mul') return { text: `${at(a!, 1)} * ${at(b!, 2)}`, level: 1 }
    if (op === 'div') return { text: `${at(a!, 1)} / ${at(b!, 2)}`, level: 1 }
    if (op === 'neg') return { text: `-${at(a!, 2)}`, level: 2, minus: at(a!, 1) }
    return { text: `${op}(${b ? `${a!.text}, ${b.text}` : a!.text})`, level: 3 }
  },
}

const brackets = (inner: string): string =>
  /\\(frac|sqrt)|\^/.test(inner) ? `\\left(${inner}\\right)` : `(${inner})`

const LATEX: Notation = {
  input: { x: 'x', zero: '0', v0: 'v_0', v1: 'v_1' },
  wrap: brackets,
  op: ({ op }, [a, b], at) => {
    const atom = (text: string): Part => ({ text, level: 3 })
    const call = (name: string): Part => atom(`${name}${brackets(a!.text)}`)
    // An operator name or a root with an exponent behind it would be misread.
    const squared = (): string => (/^v?\w?(_\d)?$/.test(a!.text) ? `${a!.text}^2` : `${brackets(a!.text)}^2`)
    switch (op) {
      case 'add':
        return {
          text: b!.minus ? `${a!.text} - ${b!.minus}` : `${a!.text} + ${latexOperand(b!, at)}`,
          level: 0,
        }
      case 'mul':
        return { text: `${at(a!, 1)} \\, ${at(b!, 3)}`, level: 1 }
      case 'div':
        return atom(`\\frac{${a!.text}}{${b!.text}}`)
      case 'max':
        return atom(`\\max${brackets(`${a!.text}, ${b!.text}`)}`)
      case 'neg':
        return { text: `-${at(a!, 3)}`, level: 2, minus: at(a!, 1) }
      case 'sigmoid':
        return call('\\sigma')
      case 'tanh':
        return call('\\tanh')
      case 'exp':
        return atom(`e^{${a!.text}}`)
      case 'log':
        return call('\\operatorname{slog}')
      case 'sqrt':
        return call('\\operatorname{ssqrt}')
      case 'abs':
        return atom(`\\left|${a!.text}\\right|`)
      case 'square':
        return atom(squared())
      default: {
        const { moment, over } = OPS[op]
        const mean = `\\operatorname{mean}_{${INDICES[over!]}}`
        if (moment === 'mean') return call(mean)
        if (moment === 'rms') return atom(`\\sqrt{${mean}${brackets(squared())}}`)
        return atom(`\\sqrt{s^2_{${INDICES[over!]}}${brackets(a!.text)}}`)
      }
    }
  },
}
const INDICES: Record<IndexSet, string> = { nhw: 'b,w,h', hwc: 'w,h,c', hw: 'w,h', hwg: 'w,h,c/g' }
const latexOperand = (part: Part, at: (part: Part, level: number) => string): string =>
  part.text.startsWith('-') ? at(part, 3) : at(part, 1)

/** One line of readable text, `x * sigmoid(v1 * x) / std_hwg(x)`; γ and β are understood. Read back by `parseFormula`. */
export const formulaText = (graph: Graph): string => render(graph, TEXT)

/**
 * LaTeX of the layer as the paper writes it: s² is the (biased) variance, ε is understood; slog and ssqrt are the
 * signed logarithm and root.
 */
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
 * A graph from the text of `formulaText`. Equal sub-expressions become one node; `a - b` is a + neg(b) and the
 * constant 1 is exp(zero). Errors name the position.
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
  return requireLegal({ version: 1, nodes, affine }, 'formula')
}
