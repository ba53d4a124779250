import { hash128 } from '../canonical.ts'
import { INPUTS, type Graph, type InputName } from '../graph.ts'
import { OPS, type OpName } from '../ops.ts'
import { factsOf, INPUT_FACTS, isConstantOver, type Facts } from './facts.ts'

/**
 * One value of a layer as a tree of ops, built once: equal terms of one `Terms` are the same object. `text` names what
 * is computed and is the same in every run; long texts are replaced by their hash.
 */
export type Term = {
  readonly text: string
  readonly op: OpName | InputName
  readonly inputs: readonly Term[]
  readonly facts: Facts
}

/** The number that a term always is, or null. */
export const constantOf = ({ facts: { lo, hi } }: Term): number | null =>
  lo === hi && Number.isFinite(lo) ? lo : null

export const byText = (a: Term, b: Term): number => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)

/** Longest text of a term; operands that are shared would double it with every op. */
const LONGEST = 96

/** Where the terms of one layer live. */
export class Terms {
  readonly #known = new Map<string, Term>()

  input(name: InputName): Term {
    return this.#intern({ text: name, op: name, inputs: [], facts: INPUT_FACTS[name] })
  }

  /** The op on these operands, as it stands; those of a commutative op are put in the order of their texts. */
  op(op: OpName, inputs: readonly Term[]): Term {
    const { commutative, moment, over } = OPS[op]
    // What does not vary has no spread, whatever it is: of all its names that of 0 uses no input.
    if (moment === 'std' && isConstantOver(inputs[0]!.facts, over!)) inputs = [this.input('zero')]
    const ordered = commutative ? [...inputs].sort(byText) : inputs
    const [a, b = a] = ordered.map(({ facts }) => facts)
    const facts = factsOf(op, a!, b!)
    const full = `${op}(${ordered.map(({ text }) => text).join(',')})`
    const term = { text: full.length > LONGEST ? `#${hash128(full)}` : full, op, inputs: ordered, facts }
    const constant = constantOf(term)
    if (constant === 0) return this.input('zero')
    // Constants are named by their value, whatever they are made of.
    return this.#intern(constant === null ? term : { ...term, text: `=${constant.toPrecision(12)}` })
  }

  #intern(term: Term): Term {
    const found = this.#known.get(term.text)
    if (found) return found
    this.#known.set(term.text, term)
    return term
  }
}

/** The term as a layer graph. An input by itself is written as `input + 0`, since a layer has a node at least. */
export const graphOf = (term: Term, affine: boolean): Graph => {
  const nodes: Graph['nodes'][number][] = []
  const placed = new Map<Term, number>()
  const place = (part: Term): number => {
    const known = placed.get(part)
    if (known !== undefined) return known
    const input = (INPUTS as readonly string[]).indexOf(part.op)
    if (input >= 0) return input
    const inputs = part.inputs.map(place)
    nodes.push({ op: part.op as OpName, inputs })
    const tensor = INPUTS.length + nodes.length - 1
    placed.set(part, tensor)
    return tensor
  }
  const last = place(term)
  if (nodes.length === 0) nodes.push({ op: 'add', inputs: [last, INPUTS.indexOf('zero')] })
  return { version: 1, nodes, affine }
}
