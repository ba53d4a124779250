import type { GraphOp } from '../proto.ts'
import { producer } from './rewrite.ts'

/** Drops the ops that nothing in `kept` depends on. */
export const pruned = (ops: readonly GraphOp[], kept: Iterable<string>): GraphOp[] => {
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
