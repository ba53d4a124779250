import type { Instruction, Size } from './program.ts'

/**
 * The backward with the full-size tensors that are not `kept` computed anew, from the inputs and from what is
 * kept, instead of being held in memory from the forward on.
 */
export const recomputed = (
  forward: readonly Instruction[],
  backward: readonly Instruction[],
  inputs: ReadonlySet<number>,
  sizes: Map<number, Size>,
  keep: (instruction: Instruction) => boolean,
): Instruction[] => {
  const producers = new Map(forward.map((instruction) => [instruction.output, instruction]))
  const renamed = new Map<number, number>()
  const result: Instruction[] = []

  const tensor = (old: number): number => {
    const producer = producers.get(old)
    if (inputs.has(old) || !producer || producer.size !== 'full' || keep(producer)) return old
    const found = renamed.get(old)
    if (found !== undefined) return found
    const output = sizes.size
    sizes.set(output, producer.size)
    renamed.set(old, output)
    result.push({ ...renewed(producer), output })
    return output
  }
  const renewed = (instruction: Instruction): Instruction => ({
    ...instruction,
    inputs: instruction.inputs.map((input) => (typeof input === 'number' ? tensor(input) : input)),
  })
  for (const instruction of backward) result.push(renewed(instruction))
  return result
}
