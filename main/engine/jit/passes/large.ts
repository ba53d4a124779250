import type { Out } from '../known.ts'
import type { GraphOp } from '../proto.ts'
import { elementsOf } from '../shapes.ts'
import { producer } from './rewrite.ts'

/** These only rename what is there, or are no work of a run. */
const STILL = new Set(['Placeholder', 'Const', 'Identity', 'Reshape', 'ExpandDims', 'Squeeze'])

/**
 * Passes over large tensors: ops that read or write one of at least `least` elements. `outs` are the outputs of ops, by the
 * references to them, as a recorder keeps them.
 */
export const largePasses = (
  ops: readonly GraphOp[],
  outs: ReadonlyMap<string, Out>,
  least: number,
): number => {
  const large = new Set([...outs].flatMap(([name, { shape }]) => (elementsOf(shape) >= least ? [name] : [])))
  const writers = new Set([...large].map(producer))
  return ops.filter(
    ({ name, op, inputs }) =>
      !STILL.has(op) && (writers.has(name) || inputs.some((input) => large.has(input))),
  ).length
}
