/** A layer's program in training, with names for what goes in and out. */
import { canonical } from '../../../shared/canonical.ts'
import { deriveLayer, type LayerProgram } from '../../../shared/derivative.ts'
import type { Graph } from '../../../shared/graph.ts'
import type { Instruction } from '../../../shared/symbolic/program.ts'
import type { Names } from './names.ts'

export type NamedProgram = LayerProgram & {
  readonly names: Names
  readonly backward: NonNullable<LayerProgram['backward']>
}

/** `keep`: the full-size tensors of the forward that the backward takes from it; the engine keeps none. */
export const programOf = (graph: Graph, keep: (instruction: Instruction) => boolean): NamedProgram => {
  const program = deriveLayer(canonical(graph), 'training', { keep })
  const backward = program.backward!
  const names = new Map<number, string>()
  const name = (tensor: number | null | undefined, called: string): void => {
    if (typeof tensor === 'number' && !names.has(tensor)) names.set(tensor, called)
  }
  for (const [input, tensor] of Object.entries(program.inputs)) name(tensor, input)
  name(backward.dy, 'dy')
  name(program.y, 'y')
  for (const { node, kind, tensor } of program.statistics) name(tensor, `${kind}_of_${node}`)
  for (const [input, tensor] of Object.entries(backward.gradients)) name(tensor, `d${input}`)
  return { ...program, backward, names }
}
