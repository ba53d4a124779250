import { activeRecorder, type Recorder } from './jit/recorder.ts'
import { loadRuntime, type Binding, type Tensor, type Variable } from './runtime.ts'

/**
 * SGD with Nesterov momentum, one op a parameter: a ← μ·a + g, v ← v − η·(g + μ·a), as PyTorch's SGD with
 * nesterov=True (Sutskever et al. 2013, in the form where the gradient is taken at v).
 * `rate` is a scalar tensor η.
 */
export const applyMomentum = (
  variable: Variable,
  velocity: Variable,
  gradient: Tensor,
  rate: Tensor,
  momentum: number,
): void => {
  const { tf, binding } = loadRuntime()
  const recorder = activeRecorder()
  if (recorder) {
    const inputs = [rate, gradient, tf.scalar(momentum)]
    recorder.update('ResourceApplyMomentum', [variable, velocity], inputs, nesterov(binding))
    return
  }
  const next = velocity.mul(momentum).add(gradient)
  velocity.assign(next as typeof velocity)
  variable.assign(variable.sub(gradient.add(next.mul(momentum)).mul(rate)) as typeof variable)
}

/**
 * The same for many variables, with weight decay (g + decay · v in place of g). Where a step is recorded, `variables` and
 * `velocities` are each kept together by its program, and updated by one op.
 */
export const applyMomentumTogether = (
  variables: readonly Variable[],
  velocities: readonly Variable[],
  gradients: readonly Tensor[],
  rate: Tensor,
  { momentum, decay }: { readonly momentum: number; readonly decay: number },
): void => {
  const { tf, binding } = loadRuntime()
  const recorder = activeRecorder()
  if (variables.length === 0) return
  if (!recorder || variables.length === 1) {
    variables.forEach((variable, i) => {
      const gradient = gradients[i]!
      const decayed = decay === 0 ? gradient : gradient.add(variable.mul(decay))
      applyMomentum(variable, velocities[i]!, decayed, rate, momentum)
    })
    return
  }
  const whole = tf.concat(gradients.map((gradient) => gradient.flatten()))
  const decayed = decay === 0 ? whole : whole.add(recorder.whole(variables).mul(decay))
  recorder.update(
    'ResourceApplyMomentum',
    [variables, velocities],
    [rate, decayed, tf.scalar(momentum)],
    nesterov(binding),
  )
}

const nesterov = (binding: Binding): Parameters<Recorder['update']>[3] => ({
  T: { type: binding.TF_FLOAT },
  use_nesterov: { op: { name: 'use_nesterov', type: binding.TF_ATTR_BOOL, value: true }, kind: 'BOOL' },
})

/** Cosine schedule with linear warm-up: the rate of step `step` (from 0) of `steps`. Loshchilov & Hutter 2017. */
export const cosineRate = (peak: number, step: number, steps: number, warmup: number): number => {
  if (step < warmup) return (peak * (step + 1)) / warmup
  return 0.5 * peak * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup)))
}
