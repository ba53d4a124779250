/** What the engine runs of a layer: its instructions, and the kernel's plans. */
import type { Graph } from '../../../shared/graph.ts'
import type { Location, Plan } from '../../../shared/symbolic/plan.ts'
import type { Instruction } from '../../../shared/symbolic/program.ts'
import { schedule } from '../../../shared/symbolic/schedule.ts'
import { compileLayer, type Piece } from '../lowering/compiled.ts'
import { programOf } from './layer.ts'
import { nameOf, operandText, scalarText, SHAPES } from './names.ts'

/** The weight of the past in moving averages, which no listing depends on. */
const DECAY = 0.9

/** The plan of each piece of a layer, as the engine's own kernel gets it. */
export const plansOf = (graph: Graph): Readonly<Record<'forward' | 'backward' | 'inference', Plan>> => {
  const { training, backward, inference } = compileLayer(graph, DECAY)
  const plan = ({ instructions, sizes, inputs, outputs }: Piece): Plan =>
    schedule(instructions, sizes, inputs, outputs)
  return { forward: plan(training), backward: plan(backward), inference: plan(inference) }
}

/** The scheduled program: one instruction a line, with the size of its result. */
export const programLines = (graph: Graph): string[] => {
  const { forward, backward, sizes, names } = programOf(graph, () => false)
  const tensor = (number: number): string => `${nameOf(names, number)} ${SHAPES[sizes.get(number)!]}`
  const line = ({ op, inputs, output, size }: Instruction): string =>
    `  ${nameOf(names, output).padEnd(10)} ${SHAPES[size].padEnd(13)} ${op}(${inputs
      .map((input) => operandText(names, input))
      .join(', ')})`
  return [
    'forward',
    ...forward.map(line),
    `kept for the backward: ${backward.saved.map(tensor).join(', ') || 'nothing'}`,
    'backward, from dy [n, h, w, c]',
    ...backward.instructions.map(line),
  ]
}

const place = ({ in: kind, index }: Location): string => `${kind}${index}`

/** Plans, phase by phase: what is read, computed in registers, kept and written, in the order in which it is done. */
export const planLines = (graph: Graph): string[] =>
  Object.entries(plansOf(graph)).flatMap(([name, { inputs, outputs, constants, phases }]) => [
    `${name}: ${ports(inputs, 'input')} -> ${ports(outputs, 'output')}`,
    ...constants.map(({ small, value }) => `  small${small} = ${scalarText(value)}`),
    ...phases.flatMap(({ batch, kept, steps }, p) => [
      `  phase ${p}${kept > 0 ? `, ${kept} kept for each sample` : ''}`,
      ...batch.map(
        ({ op, to, from }) => `    once      small${to} = ${op}(${from.map((i) => `small${i}`).join(', ')})`,
      ),
      ...steps.flatMap(({ sample, tiles, registers, full }, s) => [
        `    step ${s}, ${registers} registers${tiles.map((small, i) => `, tile${i} = small${small}`).join('')}`,
        ...sample.map(
          ({ op, to, from }) =>
            `      sample  small${to} = ${op}(${from.map((i) => `small${i}`).join(', ')})`,
        ),
        ...full.map(
          ({ op, to, from, sum }) =>
            `      blocks  ${place(to)}${sum === undefined ? '' : `, small${sum}`} = ${op}(${from.map(place).join(', ')})`,
        ),
      ]),
    ]),
  ])

const ports = (list: Plan['inputs'], name: string): string =>
  list
    .map(({ size, small }, i) => `${name}${i} ${SHAPES[size]}${small === null ? '' : ` as small${small}`}`)
    .join(', ')

type Sweep = { readonly piece: string; readonly reads: number; readonly writes: number }

/** Passes over full-size tensors, each with how many such tensors it reads and writes. */
export const sweepsIn = (graph: Graph): Sweep[] =>
  Object.entries(plansOf(graph)).flatMap(([piece, { phases }]) =>
    phases
      .flatMap(({ steps }) => steps)
      .filter(({ full }) => full.length > 0)
      .map(({ full }) => ({
        piece,
        reads: new Set(full.flatMap(({ from }) => from.filter((l) => l.in === 'input').map(place))).size,
        writes: new Set(full.filter(({ to }) => to.in === 'output').map(({ to }) => place(to))).size,
      })),
  )

/** What the forward leaves for the backward, and passes over memory. */
export const passLines = (graph: Graph): string[] => {
  const sweeps = sweepsIn(graph)
  const { sizes, backward, names } = programOf(graph, () => false)
  return [
    ...sweeps.map(
      ({ piece, reads, writes }, i) =>
        `${piece}, pass ${1 + sweeps.slice(0, i).filter((other) => other.piece === piece).length}: ` +
        `reads ${reads}, writes ${writes} of [n, h, w, c]`,
    ),
    `kept from forward to backward: ${
      backward.saved.map((tensor) => `${nameOf(names, tensor)} ${SHAPES[sizes.get(tensor)!]}`).join(', ') ||
      'nothing'
    }`,
  ]
}

/** Bytes that the forward leaves for the backward at sites of so many `[batch, height, width, channels]`; x and others. */
export const bytesKept = (
  graph: Graph,
  sites: readonly (readonly number[])[],
): { readonly x: number; readonly others: number } => {
  const { sizes, backward, inputs } = programOf(graph, () => false)
  const total = { x: 0, others: 0 }
  for (const [n, h, w, c] of sites as readonly [number, number, number, number][])
    for (const tensor of backward.saved) {
      const numbers = { scalar: 1, c, n, nc: n * c, full: n * h * w * c }[sizes.get(tensor)!]
      total[tensor === inputs.x ? 'x' : 'others'] += 4 * numbers
    }
  return total
}
