import { attribute, loadRuntime, runOp, type Tensor } from '../runtime.ts'
import { kernel, only, setKernel } from './registry.ts'

/** `[n, height, width, c]` with each pixel repeated to 2×2. */
export const upsample = (x: Tensor): Tensor => kernel('NormForgeUpsample', { x })

/** `[n, height, width, c]` with each 2×2 pixels averaged; height and width are even. */
export const downsample = (x: Tensor): Tensor => kernel('NormForgeDownsample', { x })

/** Both are linear, and each one's gradient is four times, or a quarter of, the other. */
export const registerResampling = (): void => {
  const { tf, binding } = loadRuntime()
  setKernel(
    'NormForgeUpsample',
    ({ x }) => {
      const [n, height, width, c] = x!.shape as [number, number, number, number]
      const wide = tf.tensor1d([n * height, 2, width, 2, c], 'int32')
      return runOp(
        'BroadcastTo',
        [attribute.float32(), attribute.type('Tidx', binding.TF_INT32)],
        [x!.reshape([n * height, 1, width, 1, c]), wide],
      )[0]!.reshape([n, 2 * height, 2 * width, c])
    },
    { gradFunc: (dy) => ({ x: () => downsample(only(dy)).mul(4) }) },
  )
  setKernel(
    'NormForgeDownsample',
    ({ x }) =>
      runOp(
        'AvgPool',
        [
          attribute.float32(),
          attribute.int('ksize', [1, 2, 2, 1]),
          attribute.int('strides', [1, 2, 2, 1]),
          attribute.string('padding', 'VALID'),
          attribute.string('data_format', 'NHWC'),
        ],
        [x!],
      )[0]!,
    { gradFunc: (dy) => ({ x: () => upsample(only(dy)).mul(0.25) }) },
  )
}
