import type { GraphOp } from './proto.ts'

const producer = (input: string): string => input.replace(/^\^/, '').replace(/:\d+$/, '')

/** Drops the ops that nothing in `kept` depends on. */
export const pruned = (ops: readonly GraphOp[], kept: readonly string[]): GraphOp[] => {
  const byName = new Map(ops.map((op) => [op.name, op]))
  const live = new Set<string>()
  const pending = [...kept]
  while (pending.length > 0) {
    const name = pending.pop()!
    if (live.has(name)) continue
    live.add(name)
    pending.push(...byName.get(name)!.inputs.map(producer))
  }
  return ops.filter(({ name }) => live.has(name))
}

/** These only rename what is there, or are no work of a run. */
const STILL = new Set(['Placeholder', 'Const', 'Identity', 'Reshape', 'ExpandDims', 'Squeeze'])

/**
 * Passes over large tensors: ops that read or write one of at least `least` elements. `elements` are those of the outputs
 * of ops, by their references, as a recorder keeps them.
 */
export const largePasses = (
  ops: readonly GraphOp[],
  elements: ReadonlyMap<string, number>,
  least: number,
): number => {
  const writers = new Set([...elements].flatMap(([name, size]) => (size >= least ? [producer(name)] : [])))
  const isLarge = (input: string): boolean => (elements.get(input) ?? 0) >= least
  return ops.filter(({ name, op, inputs }) => !STILL.has(op) && (writers.has(name) || inputs.some(isLarge)))
    .length
}
