/** Passes over a recorded graph: ops in, fewer ops out, that give the same. */
import type { Out } from '../known.ts'
import type { GraphOp } from '../proto.ts'
import { oneNumber } from './broadcasts.ts'
import { filled, oneValue } from './constants.ts'
import { merging } from './merged.ts'
import { neutral } from './neutral.ts'
import { pruned } from './pruned.ts'
import { reshapeOnce } from './reshapes.ts'
import { rewritten } from './rewrite.ts'
import { sameShape, sameType } from './unchanged.ts'

/** All passes. `outs` are the outputs of ops by the references to them, `kept` the names of what is fed and fetched. */
export const optimized = (
  ops: readonly GraphOp[],
  outs: ReadonlyMap<string, Out>,
  kept: readonly string[],
): GraphOp[] => {
  const rules = [filled, oneValue, sameType, sameShape, reshapeOnce, neutral, oneNumber, merging()]
  return pruned(rewritten(ops, outs, rules, new Set(kept)), kept)
}
