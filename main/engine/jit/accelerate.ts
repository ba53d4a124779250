import { loadRuntime } from '../runtime.ts'
import { inBfloat16 } from './bfloat16.ts'
import type { Out } from './known.ts'
import type { GraphOp } from './proto.ts'
import { markedForXla } from './xla.ts'

export type Acceleration = {
  /** Products in bfloat16. */
  readonly mixedPrecision?: boolean
  /** Compiled by XLA. */
  readonly xla?: boolean
}

let wanted: Acceleration = {}

/** Programs that `make` creates are accelerated so; what is not said stays as the runtime was loaded. */
export const accelerating = <T>(acceleration: Acceleration, make: () => T): T => {
  const before = wanted
  wanted = { ...before, ...acceleration }
  try {
    return make()
  } finally {
    wanted = before
  }
}

/** How programs that are created now are accelerated. */
export const accelerationNow = (): Acceleration => wanted

/** A graph's ops as they are to be run; `outs` are the outputs of ops by the references to them. */
export const accelerated = (ops: readonly GraphOp[], outs: ReadonlyMap<string, Out>): readonly GraphOp[] => {
  const { options } = loadRuntime()
  const { mixedPrecision = options.mixedPrecision === true, xla = options.xla === 'always' } = wanted
  const narrow = mixedPrecision ? inBfloat16(ops, outs) : ops
  return xla ? markedForXla(narrow) : narrow
}
