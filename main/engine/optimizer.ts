import { activeRecorder } from './jit/recorder.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

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
    const nesterov = { name: 'use_nesterov', type: binding.TF_ATTR_BOOL, value: true }
    recorder.update('ResourceApplyMomentum', [variable, velocity], [rate, gradient, tf.scalar(momentum)], {
      T: { type: binding.TF_FLOAT },
      use_nesterov: { op: nesterov, kind: 'BOOL' },
    })
    return
  }
  const next = velocity.mul(momentum).add(gradient)
  velocity.assign(next as typeof velocity)
  variable.assign(variable.sub(gradient.add(next.mul(momentum)).mul(rate)) as typeof variable)
}

/** Cosine schedule with linear warm-up: the rate of step `step` (from 0) of `steps`. Loshchilov & Hutter 2017. */
export const cosineRate = (peak: number, step: number, steps: number, warmup: number): number => {
  if (step < warmup) return (peak * (step + 1)) / warmup
  return 0.5 * peak * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup)))
}
