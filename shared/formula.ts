import { liveNodes } from './canonical.ts'
import { INPUTS, outputIndex, type Graph, type GraphNode, type InputName } from './graph.ts'
import { OP_NAMES, OPS, type IndexSet, type OpName } from './ops.ts'
import { requireLegal } from './rules.ts'

/** Binding strength, loosest first: sums, products, prefix minus, atoms. `minus` is what a minus sign negates. */
type Part = { readonly text: string; readonly level: 0 | 1 | 2 | 3; readonly minus?: string }
type Notation = {
  readonly input: Readonly<Record<InputName, string>>
  readonly named: (number: number) => string
  readonly wrap: (inner: string) => string
  readonly op: (node: GraphNode, parts: readonly Part[], at: (part: Part, level: number) => string) => Part
}

/**
 * A formula longer than this has names for the sub-expressions that it uses more than once: written out, text can double
 * with every node.
 */
const LONGEST = 800
/** A shorter sub-expression is written out all the same. */
const SHORTEST_NAMED = 8

/** Sub-expressions with names, each before its first use, and what the layer gives. */
export type Formula = {
  readonly definitions: readonly { readonly name: string; readonly text: string }[]
  readonly result: string
}

const render = (graph: Graph, notation: Notation): Formula => {
  const live = liveNodes(graph)
  if (!isLong(graph, live)) return { definitions: [], result: written(graph, live, notation, (part) => part) }
  const uses = new Map<number, number>()
  for (const input of live.flatMap((node) => graph.nodes[node]!.inputs))
    uses.set(input, (uses.get(input) ?? 0) + 1)
  const definitions: { name: string; text: string }[] = []
  const result = written(graph, live, notation, (part, tensor) => {
    if ((uses.get(tensor) ?? 0) < 2 || part.text.length < SHORTEST_NAMED) return part
    const name = notation.named(definitions.length + 1)
    definitions.push({ name, text: part.text })
    return { text: name, level: 3 }
  })
  return { definitions, result }
}

const isLong = (graph: Graph, live: readonly number[]): boolean => {
  let long = false
  written(graph, live, TEXT, (part) => {
    long ||= part.text.length > LONGEST
    return long ? { text: '', level: 3 } : part
  })
  return long
}

/** The output's text; `each` says by what a node's text is told further on. */
const written = (
  graph: Graph,
  live: readonly number[],
  notation: Notation,
  each: (part: Part, tensor: number) => Part,
): string => {
  const parts: Part[] = INPUTS.map((name) => ({ text: notation.input[name], level: 3 }))
  const at = (part: Part, level: number): string =>
    part.level < level ? notation.wrap(part.text) : part.text
  for (const index of live) {
    const node = graph.nodes[index]!
    const operands = node.inputs.map((input) => parts[input]!)
    // exp(zero) is how the space writes the constant 1.
    const one = node.op === 'exp' && node.inputs[0] === INPUTS.indexOf('zero')
    const part: Part = one ? { text: '1', level: 3 } : notation.op(node, operands, at)
    const tensor = INPUTS.length + index
    parts[tensor] = each(part, tensor)
  }
  return parts[outputIndex(graph)]!.text
}

const TEXT: Notation = {
  input: { x: 'x', zero: '0', v0: 'v0', v1: 'v1' },
  named: (number) => `t${number}`,
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
  named: (number) => `t_{${number}}`,
  wrap: brackets,
  op: ({ op }, [a, b], at) => {
    const atom = (text: string): Part => ({ text, level: 3 })
    const call = (name: string): Part => atom(`${name}${brackets(a!.text)}`)
    // An operator name or a root with an exponent behind it would be misread.
    const squared = (): string =>
      /^v?\w?(_\d|_\{\d+\})?$/.test(a!.text) ? `${a!.text}^2` : `${brackets(a!.text)}^2`
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

/** The parts of `formulaText`. */
export const formulaParts = (graph: Graph): Formula => render(graph, TEXT)

/**
 * One line of readable text, `x * sigmoid(v1 * x) / std_hwg(x)`; γ and β are understood. A long one names what it uses more
 * than once: `t1 = …; t2 = …; t1 / t2`. Read back by `parseFormula`.
 */
export const formulaText = (graph: Graph): string => {
  const { definitions, result } = formulaParts(graph)
  return [...definitions.map(({ name, text }) => `${name} = ${text}`), result].join('; ')
}

/**
 * LaTeX of the layer as the paper writes it: s² is the (biased) variance, ε is understood; slog and ssqrt are the
 * signed logarithm and root. `close` writes the last line from the output's formula.
 */
export const formulaLatex = (graph: Graph, close = (result: string): string => result): string => {
  const { definitions, result } = render(graph, LATEX)
  if (definitions.length === 0) return close(result)
  const lines = [...definitions.map(({ name, text }) => `${name} = ${text}`), close(result)]
  return `\\begin{aligned} & ${lines.join(' \\\\ & ')} \\end{aligned}`
}

/** What inputs are called in a formula, to their index. A map, since a text may have any name in it. */
const NAMES: ReadonlyMap<string, number> = new Map([
  ['x', 0],
  ['0', 1],
  ['zero', 1],
  ['v0', 2],
  ['v1', 3],
])
/** Brackets, calls and signs in one another; a layer of 64 nodes has fewer. */
const DEEPEST = 256

type Token = { readonly text: string; readonly at: number }

const tokens = (formula: string): Token[] => {
  const found: Token[] = []
  const pattern = /\s*([a-z_][a-z_0-9]*|[()+\-*/,;=·]|\d+(?:\.\d+)?|\S)/giy
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
  let depth = 0

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
  /** Sub-expressions with names: `t1 = x * x; `. */
  const defined = new Map<string, number>()
  const definition = (): void => {
    const name = peek()!
    position += 2
    defined.set(name, sum())
    expect(';')
  }
  const atom = (): number => {
    if (++depth > DEEPEST) fail(`at most ${DEEPEST} brackets and signs in one another`)
    const index = within()
    depth--
    return index
  }
  const within = (): number => {
    const text = peek()
    const named = defined.get(text ?? '') ?? NAMES.get(text ?? '')
    if (named !== undefined) {
      position++
      return named
    }
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
    if (text === '1') {
      position++
      return node('exp', 1)
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

  while (input[position + 1]?.text === '=' && /^t\d+$/.test(peek()!)) definition()
  const output = sum()
  if (position < input.length) fail('an operator or the end')
  if (output < INPUTS.length) node('add', output, 1)
  return requireLegal({ version: 1, nodes, affine }, 'formula')
}
