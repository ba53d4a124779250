import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { loadRuntime, type Tensor } from '../runtime.ts'
import { kernel, only, setGradient } from './registry.ts'

type Geometry = {
  strides: [number, number] | number
  pad: 'same' | 'valid'
  dilations?: [number, number] | number
}

const conv = (attributes: Record<string, unknown>) => ({
  strides: attributes.strides,
  pad: attributes.pad,
  dataFormat: attributes.dataFormat ?? 'NHWC',
  dimRoundingMode: attributes.dimRoundingMode,
})
const depthwise = (attributes: Record<string, unknown>) => ({
  strides: attributes.strides,
  pad: attributes.pad,
  dilations: attributes.dilations ?? [1, 1],
  dimRoundingMode: attributes.dimRoundingMode,
})

/**
 * A convolution is linear in its input and in its filter, and its two backpropagations are convolutions of the
 * same family: each one's derivative is one of the other two. tfjs has no gradient for the backpropagation ops
 * (Conv2DBackpropFilter, both depthwise ones), which second derivatives need.
 */
export const registerConvolutions = (): void => {
  const { tf } = loadRuntime()
  const toInput = (
    shape: readonly number[],
    dy: Tensor,
    filter: Tensor,
    a: Record<string, unknown>,
  ): Tensor => kernel('Conv2DBackpropInput', { dy, filter }, { ...conv(a), inputShape: shape })
  const toFilter = (x: Tensor, dy: Tensor, shape: readonly number[], a: Record<string, unknown>): Tensor =>
    kernel('Conv2DBackpropFilter', { x, dy }, { ...conv(a), filterShape: shape })
  const forward = (x: Tensor, filter: Tensor, a: Record<string, unknown>): Tensor => {
    const { strides, pad } = a as Geometry
    return tf.conv2d(x as Tensor4D, filter as Tensor4D, strides, pad)
  }
  setGradient('Conv2DBackpropFilter', {
    inputsToSave: ['x', 'dy'],
    gradFunc: (dd, [x, dy], a) => ({
      x: () => toInput(x!.shape, dy!, only(dd), a),
      dy: () => forward(x!, only(dd), a),
    }),
  })
  setGradient('Conv2DBackpropInput', {
    inputsToSave: ['dy', 'filter'],
    gradFunc: (dd, [dy, filter], a) => ({
      dy: () => forward(only(dd), filter!, a),
      filter: () => toFilter(only(dd), dy!, filter!.shape, a),
    }),
  })

  const toDepthwiseInput = (
    shape: readonly number[],
    dy: Tensor,
    filter: Tensor,
    a: Record<string, unknown>,
  ): Tensor =>
    kernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...depthwise(a), inputShape: shape })
  const toDepthwiseFilter = (
    x: Tensor,
    dy: Tensor,
    shape: readonly number[],
    a: Record<string, unknown>,
  ): Tensor =>
    kernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...depthwise(a), filterShape: shape })
  const depthwiseForward = (x: Tensor, filter: Tensor, a: Record<string, unknown>): Tensor => {
    const { strides, pad } = a as Geometry
    return tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, strides, pad)
  }
  setGradient('DepthwiseConv2dNativeBackpropInput', {
    inputsToSave: ['dy', 'filter'],
    gradFunc: (dd, [dy, filter], a) => ({
      dy: () => depthwiseForward(only(dd), filter!, a),
      filter: () => toDepthwiseFilter(only(dd), dy!, filter!.shape, a),
    }),
  })
  setGradient('DepthwiseConv2dNativeBackpropFilter', {
    inputsToSave: ['x', 'dy'],
    gradFunc: (dd, [x, dy], a) => ({
      x: () => toDepthwiseInput(x!.shape, dy!, only(dd), a),
      dy: () => depthwiseForward(x!, only(dd), a),
    }),
  })
}
