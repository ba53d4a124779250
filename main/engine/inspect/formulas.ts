/** A layer's output and its gradients as formulas, in the form in which the engine computes them. */
import type { Graph } from '../../../shared/graph.ts'
import type { Instruction, InstructionName, Operand } from '../../../shared/symbolic/program.ts'
import { programOf } from './layer.ts'
import { nameOf, scalarText, sizeOf, summedOver } from './names.ts'

/** How strongly a part of a formula holds together: 1 sums, 2 products, 3 signs, 4 names and calls. */
type Part = { readonly text: string; readonly binding: number }
const at = ({ text, binding }: Part, least: number): string => (binding < least ? `(${text})` : text)

const INFIX: Partial<Record<InstructionName, readonly [operator: string, binding: number]>> = {
  add: ['+', 1],
  sub: ['-', 1],
  mul: ['*', 2],
  div: ['/', 2],
}

/** Lines `name = formula`: what is used once stands where it is used, the rest is named. */
export const formulasOf = (graph: Graph): string[] => {
  const { forward, backward, sizes, names, y, statistics } = programOf(graph, () => true)
  const instructions = [...forward, ...backward.instructions]
  const uses = new Map<number, number>()
  for (const { inputs } of instructions)
    for (const input of new Set(inputs))
      if (typeof input === 'number') uses.set(input, (uses.get(input) ?? 0) + 1)
  const gradients = Object.entries(backward.gradients)
  const results = new Set(
    [y, ...statistics.map(({ tensor }) => tensor), ...gradients.map(([, tensor]) => tensor)].filter(
      (tensor) => typeof tensor === 'number',
    ),
  )
  const inlined = new Map<number, Part>()
  const part = (operand: Operand): Part => {
    if (typeof operand !== 'number') {
      const text = scalarText(operand)
      return { text, binding: text.startsWith('-') ? 3 : /[/·]/.test(text) ? 2 : 4 }
    }
    return inlined.get(operand) ?? { text: nameOf(names, operand), binding: 4 }
  }
  const formula = ({ op, inputs, size }: Instruction): Part => {
    const [a, b] = inputs.map(part) as [Part, Part]
    const infix = INFIX[op]
    if (infix) {
      const [operator, binding] = infix
      // Subtraction and division don't regroup.
      const right = at(b, operator === '-' || operator === '/' ? binding + 1 : binding)
      return { text: `${at(a, binding)} ${operator} ${right}`, binding }
    }
    if (op === 'neg') return { text: `-${at(a, 3)}`, binding: 3 }
    if (op === 'square') return { text: `${at(a, 4)}^2`, binding: 3 }
    if (op === 'reciprocal') return { text: `1 / ${at(a, 3)}`, binding: 2 }
    if (op === 'broadcast') return a
    const over = op === 'sum' || op === 'variance' ? `_${summedOver(sizeOf(sizes, inputs[0]!), size)}` : ''
    return { text: `${op}${over}(${inputs.map((input) => part(input).text).join(', ')})`, binding: 4 }
  }
  const lines: string[] = []
  for (const instruction of instructions) {
    const { output } = instruction
    const made = formula(instruction)
    if (uses.get(output) === 1 && !results.has(output)) inlined.set(output, made)
    else lines.push(`${nameOf(names, output)} = ${made.text}`)
  }
  for (const [input, tensor] of gradients) {
    if (tensor === null) lines.push(`d${input} = 0`)
    else if (tensor !== undefined && nameOf(names, tensor) !== `d${input}`)
      lines.push(`d${input} = ${nameOf(names, tensor)}`)
  }
  return lines
}
