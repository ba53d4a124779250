import { loadRuntime, type OpAttribute } from '../../../main/engine/runtime.ts'

/**
 * The fault that all of this was made for, straight into the addon: oneDNN's filter gradient of a strided 1×1 convolution,
 * which with ONEDNN_MAX_CPU_ISA=AVX2 reads and writes past its buffer. A watch that doesn't stop here sees nothing.
 */
export const control = (): void => {
  const { binding } = loadRuntime()
  const tensor = (shape: number[]): number =>
    binding.createTensor(shape, binding.TF_FLOAT, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1))
  const sizes = binding.createTensor([4], binding.TF_INT32, Int32Array.of(1, 1, 3, 5))
  const attributes: OpAttribute[] = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'strides', type: binding.TF_ATTR_INT, value: [1, 2, 2, 1] },
    { name: 'padding', type: binding.TF_ATTR_STRING, value: 'SAME' },
  ]
  binding.executeOp(
    'Conv2DBackpropFilter',
    attributes,
    [tensor([2, 8, 8, 3]), sizes, tensor([2, 4, 4, 5])],
    1,
  )
}
