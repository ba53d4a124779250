import { EPSILON } from '../../shared/ops.ts'
import { setKernel } from './gradients/registry.ts'
import { attribute, loadRuntime, runOp, type Tensor } from './runtime.ts'

const attributes = () => [
  attribute.float32('T'),
  attribute.float32('U'),
  attribute.float('epsilon', EPSILON),
  attribute.string('data_format', 'NHWC'),
  attribute.bool('is_training', true),
]

let registered = false
const register = (): void => {
  if (registered) return
  registered = true
  const { tf } = loadRuntime()
  setKernel(
    'NormForgeBatchNorm',
    ({ x, scale, offset }) => {
      const none = tf.tensor1d([], 'float32')
      return runOp(
        'FusedBatchNormV3',
        [...attributes(), attribute.float('exponential_avg_factor', 1)],
        [x!, scale!, offset!, none, none],
        6,
      )
    },
    {
      inputsToSave: ['x', 'scale'],
      outputsToSave: [false, false, false, true, true, true],
      gradFunc: (dys, [x, scale, r1, r2, r3]) => {
        const dy = (dys as Tensor[])[0]!
        const [dx, dScale, dOffset] = runOp(
          'FusedBatchNormGradV3',
          attributes(),
          [dy, x!, scale!, r1!, r2!, r3!],
          5,
        )
        return { x: () => dx!, scale: () => dScale!, offset: () => dOffset! }
      },
    },
  )
}

/**
 * Training-mode batch normalization of `[batch, height, width, channels]` as TensorFlow's fused kernel. `observe`
 * gets the batch's mean and biased variance, each `[channels]`. Has no second derivative.
 */
export const batchNorm = (
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  observe: (mean: Tensor, variance: Tensor) => void,
): Tensor => {
  register()
  const { tf } = loadRuntime()
  const outputs = tf.engine().runKernel('NormForgeBatchNorm', { x, scale, offset }, {}) as Tensor[]
  const count = x.size / x.shape.at(-1)!
  // The kernel's variance is the unbiased one.
  observe(outputs[1]!, outputs[2]!.mul((count - 1) / Math.max(1, count)))
  return outputs[0]!
}
