import { planText } from '../../../shared/symbolic/plan.ts'
import { schedule } from '../../../shared/symbolic/schedule.ts'
import { attribute, runOp, type Tensor } from '../runtime.ts'
import type { Piece } from './compiled.ts'

const plans = new WeakMap<Piece, string>()

/** Whether the engine's own kernel can run a piece: it takes its shape from input 0 and makes it that of output 0. */
export const suitsKernel = ({ sizes, inputs, outputs }: Piece): boolean =>
  sizes.get(inputs[0]!) === 'full' &&
  outputs.length > 0 &&
  sizes.get(outputs[0]!) === 'full' &&
  outputs.every((tensor) => !inputs.includes(tensor))

/** Runs a piece as one op of the engine's own kernel (native/addon.cc). */
export const runByKernel = (piece: Piece, groups: number, tensors: readonly Tensor[]): Tensor[] => {
  const { instructions, sizes, inputs, outputs } = piece
  const plan = plans.get(piece) ?? planText(schedule(instructions, sizes, inputs, outputs))
  plans.set(piece, plan)
  return runOp(
    'NormForgeProgram',
    [
      attribute.int('N', inputs.length),
      attribute.int('M', outputs.length),
      attribute.string('plan', plan),
      attribute.int('groups', groups),
    ],
    [...tensors],
    outputs.length,
  )
}
