import type { GraphOp } from './proto.ts'

/** What feeds a graph or keeps its values can't be compiled, and XLA knows nothing of the engine's own kernels. */
const APART = /^(Placeholder|VarHandleOp|NormForge.*)$/

/**
 * The same ops, marked for TensorFlow's XLA: it compiles clusters of what is marked, whatever TF_XLA_FLAGS say, so that
 * each program has its own choice.
 */
export const markedForXla = (ops: readonly GraphOp[]): GraphOp[] =>
  ops.map((op) =>
    APART.test(op.op) ? op : { ...op, attributes: { ...op.attributes, _XlaCompile: { bool: true } } },
  )
