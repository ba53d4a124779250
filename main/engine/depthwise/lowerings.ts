/**
 * A depthwise convolution's two gradients, each in the ways that it can be computed here. Padding is SAME, dilation 1,
 * one filter a channel; `x` is `[batch, height, width, channels]`, `filter` `[kernel, kernel, channels, 1]`.
 */
import { hasKernels } from '../kernels.ts'
import { attribute, loadRuntime, runOp, type OpAttribute, type Tensor } from '../runtime.ts'
import type { FilterLowering, InputLowering, Shape } from './table.ts'

export type Lowering = {
  /** Whether it can compute a convolution of this shape, here. */
  readonly suits: (shape: Shape) => boolean
  /** `given` are dy and filter, or x and dy; `to` is the result's shape. */
  readonly run: (given: readonly [Tensor, Tensor], to: readonly number[], shape: Shape) => Tensor
}

const attributes = (stride: number): OpAttribute[] => [
  attribute.float32('T'),
  attribute.int('strides', [1, stride, stride, 1]),
  attribute.string('padding', 'SAME'),
  attribute.string('data_format', 'NHWC'),
  attribute.int('dilations', [1, 1, 1, 1]),
]
const sizes = (shape: readonly number[]): Tensor => loadRuntime().tf.tensor1d([...shape], 'int32')

export const INPUT_LOWERINGS: Readonly<Record<InputLowering, Lowering>> = {
  tensorflow: {
    suits: () => true,
    run: ([dy, filter], to, { stride }) =>
      runOp('DepthwiseConv2dNativeBackpropInput', attributes(stride), [sizes(to), filter, dy])[0]!,
  },
  /** The gradient at stride 1 is itself a convolution, with the filter turned by 180°; TensorFlow is quicker at those. */
  flipped: {
    suits: ({ stride, kernel }) => stride === 1 && kernel % 2 === 1,
    run: ([dy, filter]) => {
      const axes = [attribute.float32('T'), attribute.type('Tidx', loadRuntime().binding.TF_INT32)]
      const [turned] = runOp('ReverseV2', axes, [filter, sizes([0, 1])])
      return runOp('DepthwiseConv2dNative', attributes(1), [dy, turned!])[0]!
    },
  },
}

export const FILTER_LOWERINGS: Readonly<Record<FilterLowering, Lowering>> = {
  tensorflow: {
    suits: () => true,
    run: ([x, dy], to, { stride }) =>
      runOp('DepthwiseConv2dNativeBackpropFilter', attributes(stride), [x, sizes(to), dy])[0]!,
  },
  /** The engine's own kernel (native/depthwise.h). */
  own: {
    suits: ({ kernel }) => (kernel === 3 || kernel === 5) && hasKernels(),
    run: ([x, dy], to, { kernel, stride }) => {
      const geometry = [attribute.int('kernel', kernel), attribute.int('stride', stride)]
      return runOp('NormForgeDepthwiseFilter', geometry, [x, dy])[0]!.reshape([...to])
    },
  },
}
