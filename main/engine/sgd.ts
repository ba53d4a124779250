import { applyMomentumTogether } from './optimizer.ts'
import type { Parameters } from './parameters.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

/** SGD with Nesterov momentum over a network's parameters, weight decay on kernels alone. */
export type Sgd = {
  /** One for each trainable variable, in their order. */
  readonly velocities: readonly Variable[]
  /** The trainable variables and the velocities, in the lists that a program is to keep together. */
  readonly variables: readonly (readonly Variable[])[]
  /** One update; gradients by the variables' names, `rate` a scalar. */
  apply(gradients: Readonly<Record<string, Tensor>>, rate: Tensor): void
  dispose(): void
}

export const createSgd = (
  { trainable, kernels }: Pick<Parameters, 'trainable' | 'kernels'>,
  { momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number },
): Sgd => {
  const { tf } = loadRuntime()
  const velocityOf = new Map(
    trainable.map((variable) => {
      const zeros = tf.zeros(variable.shape)
      const made = tf.variable(zeros, false)
      zeros.dispose()
      return [variable, made]
    }),
  )
  const isKernel = new Set(kernels)
  const vectors = trainable.filter((variable) => !isKernel.has(variable))
  const groups = [
    { variables: kernels, decay: weightDecay },
    { variables: vectors, decay: 0 },
  ].map((group) => ({ ...group, velocities: group.variables.map((v) => velocityOf.get(v)!) }))
  return {
    velocities: [...velocityOf.values()],
    variables: groups.flatMap((group) => [group.variables, group.velocities]),
    apply: (gradients, rate) => {
      for (const { variables, velocities, decay } of groups)
        applyMomentumTogether(
          variables,
          velocities,
          variables.map(({ name }) => gradients[name]!),
          rate,
          { momentum, decay },
        )
    },
    dispose: () => [...velocityOf.values()].forEach((variable) => variable.dispose()),
  }
}
