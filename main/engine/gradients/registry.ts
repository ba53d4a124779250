import type { NamedAttrMap } from '@tensorflow/tfjs-node-gpu'
import { loadRuntime, type Tensor } from '../runtime.ts'

export type GradientFunction = (
  dy: Tensor | Tensor[],
  saved: Tensor[],
  attributes: Record<string, unknown>,
) => Record<string, () => Tensor>
export type GradientRule = {
  inputsToSave?: string[]
  outputsToSave?: boolean[]
  gradFunc: GradientFunction
}

/** Replaces tfjs's gradient of a kernel. */
export const setGradient = (kernelName: string, rule: GradientRule): void => {
  const { tf } = loadRuntime()
  const warn = console.warn
  console.warn = () => undefined
  try {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName)
    tf.registerGradient({ kernelName, ...rule } as Parameters<typeof tf.registerGradient>[0])
  } finally {
    console.warn = warn
  }
}

/** Runs a tfjs kernel by name. */
export const kernel = (
  name: string,
  inputs: Record<string, Tensor>,
  attributes: Record<string, unknown> = {},
): Tensor =>
  loadRuntime()
    .tf.engine()
    .runKernel(name, inputs, attributes as NamedAttrMap) as Tensor

/** A kernel of the engine's own, with its gradient. */
export const setKernel = (
  kernelName: string,
  run: (inputs: Record<string, Tensor>, attributes: Record<string, unknown>) => Tensor | Tensor[],
  rule: GradientRule,
): void => {
  const { tf } = loadRuntime()
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) =>
      run(inputs as Record<string, Tensor>, (attrs ?? {}) as Record<string, unknown>),
  })
  setGradient(kernelName, rule)
}

/** The gradient of a single-output kernel; tfjs hands a list to some. */
export const only = (dy: Tensor | Tensor[]): Tensor => (Array.isArray(dy) ? dy[0]! : dy)
