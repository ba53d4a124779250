import { activeRecorder } from './jit/recorder.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

/** What Adam keeps of a parameter: running means of the gradient and of its square, both starting at 0. */
export type Moments = { readonly first: Variable; readonly second: Variable }
/** `rate` and the decays to the power of the step (from 1) are scalar tensors: they change from step to step. */
export type AdamStep = { readonly rate: Tensor; readonly power1: Tensor; readonly power2: Tensor }
export type AdamConfig = { readonly beta1: number; readonly beta2: number }

const EPSILON = 1e-8

export const createMoments = (variable: Variable): Moments => {
  const { tf } = loadRuntime()
  const zeros = tf.zeros(variable.shape)
  const moments = { first: tf.variable(zeros, false), second: tf.variable(zeros, false) }
  zeros.dispose()
  return moments
}

/**
 * One step of Adam (Kingma & Ba 2015, in the order of computation that ends section 2), one op a parameter:
 * m ← β₁·m + (1−β₁)·g, v ← β₂·v + (1−β₂)·g², θ ← θ − η·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 */
export const applyAdam = (
  variable: Variable,
  { first, second }: Moments,
  gradient: Tensor,
  { rate, power1, power2 }: AdamStep,
  { beta1, beta2 }: AdamConfig,
): void => {
  const { tf, binding } = loadRuntime()
  const recorder = activeRecorder()
  if (recorder) {
    const inputs = [power1, power2, rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(EPSILON), gradient]
    recorder.update('ResourceApplyAdam', [variable, first, second], inputs, {
      T: { type: binding.TF_FLOAT },
    })
    return
  }
  const m = first.mul(beta1).add(gradient.mul(1 - beta1))
  const v = second.mul(beta2).add(gradient.square().mul(1 - beta2))
  const one = tf.scalar(1)
  const step = rate.mul(one.sub(power2).sqrt()).div(one.sub(power1))
  first.assign(m as Variable)
  second.assign(v as Variable)
  variable.assign(variable.sub(m.mul(step).div(v.sqrt().add(EPSILON))) as Variable)
}
