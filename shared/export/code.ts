import { canonical } from '../canonical.ts'
import { INPUTS, type Graph, type GraphNode } from '../graph.ts'
import { SCALAR } from '../interpret.ts'
import { EPSILON, OPS, type BinaryOp, type IndexSet, type Moment, type UnaryOp } from '../ops.ts'

/** What the written code calls beyond its framework, in an order in which each may call those before it. */
export const HELPERS = [
  'mean',
  'mean_square',
  'variance',
  'root',
  'grouped',
  'divide',
  'maximum',
  'signed_log',
  'signed_sqrt',
] as const
export type Helper = (typeof HELPERS)[number]

/** The moment whose root (but for the mean) an aggregate is. */
export type RawMoment = 'mean' | 'mean_square' | 'variance'
const RAW: Record<Moment, RawMoment> = { mean: 'mean', rms: 'mean_square', std: 'variance' }

/** Binding strength of an expression: sums, products, prefix minus, atoms. */
type Level = 0 | 1 | 2 | 3
export type Expression = { readonly text: string; readonly level: Level }

export type Value = Expression & {
  /** What a minus sign in front of the whole negates. */
  readonly minus?: Value | undefined
  /** The one number that every element is, or null. */
  readonly constant: number | null
  /** Whether it can differ between samples, over space, between channels. */
  readonly samples: boolean
  readonly space: boolean
  readonly channels: boolean
  /** At least ε whatever x is, so that dividing by it needs no guard. */
  readonly atLeastEpsilon: boolean
}

/** How a target writes expressions; the rest of its text is its own template. */
export type Syntax = {
  number(value: number): string
  input(name: 'x' | 'v0' | 'v1'): string
  call(name: Helper | 'sigmoid' | 'tanh' | 'exp' | 'abs' | 'square', inputs: readonly string[]): string
  arithmetic(op: 'add' | 'subtract' | 'multiply' | 'divide', a: Value, b: Value): Expression
  negative(a: Value): Expression
  /** A moment over axes of one sample; `grouped`: over space and a group's channels. */
  moment(moment: RawMoment, a: Value, over: Exclude<IndexSet, 'nhw'>): string
  /** A moment over batch and space, or at inference the moving average called `moving`. */
  batchMoment(moment: RawMoment, a: Value, moving: string): string
}

export type Moving = { readonly name: string; readonly moment: RawMoment }
export type LayerCode = {
  readonly statements: readonly { readonly name: string; readonly text: string }[]
  readonly result: Value
  /** Which of v0 and v1 the layer has. */
  readonly vectors: readonly ('v0' | 'v1')[]
  /** Moving averages it keeps; means start at 0, second moments at 1. */
  readonly moving: readonly Moving[]
  readonly helpers: ReadonlySet<Helper>
  readonly usesGroups: boolean
}

/** A longer expression gets a line and a name of its own. */
const LONGEST_INLINE = 48

/**
 * The live part of a graph as statements of a target's code, operands ordered as in the canonical graph (it decides
 * who gets the gradient of a tie). What is constant is folded; aggregates and what is used twice get names.
 */
export const layerCode = (graph: Graph, syntax: Syntax): LayerCode => {
  const { nodes } = canonical(graph)
  const uses = new Map<number, number>()
  for (const input of nodes.flatMap((node) => node.inputs)) uses.set(input, (uses.get(input) ?? 0) + 1)

  const helpers = new Set<Helper>()
  const moving: Moving[] = []
  const statements: { name: string; text: string }[] = []
  const taken = new Map<string, number>()
  const unique = (name: string): string => {
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  }
  const recording: Syntax = {
    ...syntax,
    call: (name, inputs) => {
      if (!PLAIN.has(name)) helpers.add(name as Helper)
      return syntax.call(name, inputs)
    },
  }

  const values: Value[] = INPUTS.map((name) => inputValue(name, syntax))
  for (const [i, node] of nodes.entries()) {
    const operands = node.inputs.map((input) => values[input]!)
    const { moment, over } = OPS[node.op]
    let value: Value
    if (moment && over) {
      value = aggregateValue(operands[0]!, moment, over, recording, (raw) => {
        const name = unique(`moving_${raw}`)
        moving.push({ name, moment: raw })
        return name
      })
      if (value.constant === null) {
        helpers.add(RAW[moment])
        if (over === 'hwg' && operands[0]!.channels) helpers.add('grouped')
      }
    } else value = elementwiseValue(node, operands, recording)

    const used = uses.get(INPUTS.length + i) ?? 0
    const isName = value.constant !== null || i === nodes.length - 1
    if (!isName && (moment || used > 1 || value.text.length > LONGEST_INLINE)) {
      const name = unique(moment ? node.op : 't')
      statements.push({ name, text: value.text })
      value = { ...value, text: name, level: 3, minus: undefined }
    }
    values.push(value)
  }
  const used = new Set(nodes.flatMap((node) => node.inputs))
  return {
    statements,
    result: values.at(-1)!,
    vectors: (['v0', 'v1'] as const).filter((name) => used.has(INPUTS.indexOf(name))),
    moving,
    helpers,
    usesGroups: helpers.has('grouped'),
  }
}

const PLAIN: ReadonlySet<string> = new Set(['sigmoid', 'tanh', 'exp', 'abs', 'square'])

const inputValue = (name: (typeof INPUTS)[number], syntax: Syntax): Value => {
  if (name === 'zero') return constantValue(0, syntax)
  return {
    text: syntax.input(name),
    level: 3,
    constant: null,
    samples: name === 'x',
    space: name === 'x',
    channels: true,
    atLeastEpsilon: false,
  }
}

const constantValue = (value: number, syntax: Syntax): Value => ({
  text: syntax.number(value),
  // The sign of a negative number binds as a prefix minus does.
  level: value < 0 ? 2 : 3,
  constant: value,
  samples: false,
  space: false,
  channels: false,
  atLeastEpsilon: value >= EPSILON,
})

const elementwiseValue = ({ op }: GraphNode, operands: readonly Value[], syntax: Syntax): Value => {
  const [a, b] = operands as [Value, Value]
  if (operands.every(({ constant }) => constant !== null))
    return constantValue(SCALAR[op as BinaryOp | UnaryOp](a.constant!, b?.constant ?? 0), syntax)

  const call = (name: Parameters<Syntax['call']>[0]): Expression => ({
    text: syntax.call(
      name,
      operands.map(({ text }) => text),
    ),
    level: 3,
  })
  const written = (): Expression & { minus?: Value } => {
    switch (op) {
      case 'add':
        if (b.minus) return syntax.arithmetic('subtract', a, b.minus)
        return a.minus ? syntax.arithmetic('subtract', b, a.minus) : syntax.arithmetic('add', a, b)
      case 'mul':
        return syntax.arithmetic('multiply', a, b)
      case 'div': {
        if (b.atLeastEpsilon) return syntax.arithmetic('divide', a, b)
        if (b.constant === null) return call('divide')
        return syntax.arithmetic('divide', a, constantValue(1 / SCALAR.div(1, b.constant), syntax))
      }
      case 'max':
        return call('maximum')
      case 'log':
        return call('signed_log')
      case 'sqrt':
        return call('signed_sqrt')
      case 'neg':
        return { ...syntax.negative(a), minus: a }
      default:
        return call(op as 'sigmoid' | 'tanh' | 'exp' | 'abs' | 'square')
    }
  }
  const safe = operands.map(({ atLeastEpsilon }) => atLeastEpsilon)
  return {
    ...written(),
    constant: null,
    samples: operands.some(({ samples }) => samples),
    space: operands.some(({ space }) => space),
    channels: operands.some(({ channels }) => channels),
    atLeastEpsilon: op === 'max' ? safe.includes(true) : op === 'add' && !safe.includes(false),
  }
}

const aggregateValue = (
  a: Value,
  moment: Moment,
  over: IndexSet,
  syntax: Syntax,
  moving: (raw: RawMoment) => string,
): Value => {
  const raw = RAW[moment]
  if (over !== 'nhw' && a.constant !== null)
    return constantValue(momentOfConstant(a.constant, moment), syntax)
  const text =
    over === 'nhw' ? syntax.batchMoment(raw, a, moving(raw)) : syntax.moment(raw, a, a.channels ? over : 'hw')
  return {
    text: moment === 'mean' ? text : syntax.call('root', [text]),
    level: 3,
    constant: null,
    samples: over !== 'nhw' && a.samples,
    space: false,
    channels: over === 'nhw' || (over !== 'hwc' && a.channels),
    atLeastEpsilon: moment !== 'mean',
  }
}

const momentOfConstant = (value: number, moment: Moment): number =>
  moment === 'mean' ? value : Math.sqrt((moment === 'rms' ? value * value : 0) + EPSILON)

/** Whether it is one value a channel and nothing more, which channels-last targets keep at rank 1. */
export const isVector = ({ samples, space, channels }: Value): boolean => channels && !samples && !space

/** First value of a moving average. */
export const startOf = (moment: RawMoment): 'zeros' | 'ones' => (moment === 'mean' ? 'zeros' : 'ones')

/** The trainable vectors, and what they start as. */
export const vectorsOf = (
  { vectors }: LayerCode,
  affine: boolean,
): [name: string, start: 'zeros' | 'ones'][] => [
  ...vectors.map((name): [string, 'zeros' | 'ones'] => [name, name === 'v0' ? 'zeros' : 'ones']),
  ...(affine
    ? ([
        ['gamma', 'ones'],
        ['beta', 'zeros'],
      ] as [string, 'zeros' | 'ones'][])
    : []),
]
