import { EPSILON } from '../../../shared/ops.ts'
import type { Instruction, Operand, Size } from '../../../shared/symbolic/program.ts'
import { broadcastTo, select } from '../gradients/elementwise.ts'
import { attribute, loadRuntime, runOp, type Tensor } from '../runtime.ts'
import type { Piece } from './compiled.ts'

/** Channels from which on TensorFlow broadcasts [n, 1, 1, c] over [n, h, w, c] as fast as [n, 1, w, c]. */
const WIDE = 64

/**
 * Runs a piece by TensorFlow's ops, one (or a few) an instruction: on any device, and wherever the engine's own kernels
 * are not to be had. Per-channel tensors are `[c]`; `shape` is that of the full-size ones.
 */
export const runByOps = (
  { instructions, sizes, inputs, outputs }: Piece,
  shape: readonly number[],
  groups: number,
  tensors: readonly Tensor[],
): Tensor[] => {
  const { tf } = loadRuntime()
  const [n, h, w, c] = shape as [number, number, number, number]
  const made = new Map(inputs.map((tensor, i) => [tensor, tensors[i]!]))
  const count = { hw: h * w, n, c, k: c / groups }
  const shapes: Record<Size, number[]> = {
    scalar: [1, 1, 1, 1],
    c: [c],
    n: [n, 1, 1, 1],
    nc: [n, 1, 1, c],
    full: [...shape],
  }
  const value = (operand: Operand): Tensor => {
    if (typeof operand === 'number') return made.get(operand)!
    const { hw, n, c, k } = operand.powers
    return tf.scalar(operand.value * count.hw ** hw * count.n ** n * count.c ** c * count.k ** k)
  }

  // TensorFlow's broadcast over height and width together is slow where there are few channels.
  const widened = new Map<number, Tensor>()
  const beside = (operand: Operand, size: Size): Tensor => {
    const tensor = value(operand)
    if (typeof operand !== 'number' || size !== 'full' || c >= WIDE) return tensor
    const own = sizes.get(operand)!
    if (own !== 'nc' && own !== 'c') return tensor
    const wide = widened.get(operand) ?? broadcastTo(tensor, own === 'c' ? [1, 1, w, c] : [n, 1, w, c])
    widened.set(operand, wide)
    return wide
  }

  const run = ({ op, inputs: operands, size }: Instruction): Tensor => {
    const a = value(operands[0]!)
    const from = typeof operands[0] === 'number' ? sizes.get(operands[0])! : 'scalar'
    const pair = (): [Tensor, Tensor] => [beside(operands[0]!, size), beside(operands[1]!, size)]
    switch (op) {
      case 'add':
        return tf.add(...pair())
      case 'sub':
        return tf.sub(...pair())
      case 'mul':
        return tf.mul(...pair())
      case 'div':
        return tf.div(...pair())
      case 'max':
        return tf.maximum(...pair())
      case 'reluGrad':
        return runOp('ReluGrad', [attribute.float32()], [a, value(operands[1]!)])[0]!
      case 'sigmoidGrad':
        return runOp('SigmoidGrad', [attribute.float32()], [a, value(operands[1]!)])[0]!
      case 'tanhGrad':
        return runOp('TanhGrad', [attribute.float32()], [a, value(operands[1]!)])[0]!
      case 'guard': {
        const least = select(tf.less(a, 0), tf.scalar(-EPSILON), tf.scalar(EPSILON))
        return select(tf.less(tf.abs(a), EPSILON), least, a)
      }
      case 'sum':
        return sum(a, from, size)
      case 'variance': {
        const mean = a.mean([1, 2], true)
        return tf.squaredDifference(a, mean).mean([1, 2], true)
      }
      case 'groupMean': {
        const grouped = a.reshape([-1, groups, c / groups])
        return broadcastTo(grouped.mean(2, true), grouped.shape).reshape(shapes[size])
      }
      case 'broadcast':
        return broadcastTo(size === 'c' ? a.reshape([a.size]) : a, shapes[size])
      default:
        return tf[op](a)
    }
  }
  const sum = (a: Tensor, from: Size, to: Size): Tensor => {
    if (from === 'full') return a.sum([1, 2], true)
    if (to === 'n') return a.sum(3, true)
    if (to === 'c') return a.sum([0, 1, 2])
    return a.sum().reshape(shapes.scalar)
  }

  for (const instruction of instructions) {
    const result = run(instruction)
    const shaped = shapes[instruction.size]
    // A scalar beside [c] gives [1, 1, 1, c].
    made.set(instruction.output, result.shape.length === shaped.length ? result : result.reshape(shaped))
  }
  return outputs.map((tensor) => made.get(tensor)!.reshape(shapes[sizes.get(tensor)!]))
}
