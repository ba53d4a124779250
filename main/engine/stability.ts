/**
 * The stability test (Liu et al. 2020, section 3.3): the convolution weights θ are moved to maximise the gradient
 * norm ‖∂ℓ(θ)/∂θ‖, by gradient ascent on its square; a norm past the limit, or a value that is not finite, at any
 * step rejects the layer. Needs true second derivatives of the whole network.
 */
import type { Graph } from '../../shared/graph.ts'
import type { ArchitectureConfig, RejectionConfig } from '../../shared/records.ts'
import type { Batch } from './data/batches.ts'
import { registerGradients } from './gradients/index.ts'
import { jit } from './jit/jit.ts'
import { createNetwork } from './network.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'
import { crossEntropy } from './training.ts'

export type StabilityOptions = {
  readonly architecture: ArchitectureConfig
  readonly graph: Graph
  readonly limits: RejectionConfig['stability']
  readonly groups: number
  readonly imageSize: number
  readonly classes: number
  readonly seed: number
  readonly eager?: boolean
}
export type StabilityResult = {
  /** Largest gradient norm seen; null when it was not finite. */
  readonly gradientNorm: number | null
  /** Step at which the limit was passed; null: it never was. */
  readonly failedAt: number | null
}

/** Squared norm of the gradient of the loss with respect to `weights`, as a differentiable scalar. */
export const squaredGradientNorm = (loss: () => Tensor, weights: Variable[]): Tensor => {
  const { tf } = loadRuntime()
  const { grads } = tf.variableGrads(loss as never, weights)
  return tf.addN(weights.map((weight) => grads[weight.name]!.square().sum()))
}

/** Runs the test on one batch of `limits.batchSize` images; `report` hears of each step. */
export const testStability = (
  options: StabilityOptions,
  { images, labels }: Batch,
  report: (step: number) => void = () => undefined,
): StabilityResult => {
  const { tf } = loadRuntime()
  registerGradients()
  const { limits, imageSize, classes } = options
  const network = createNetwork(options.architecture, options.graph, options)
  const { trainable, statistics } = network.parameters
  const weights = trainable.filter((variable) => variable.rank === 4)
  const batch = limits.batchSize
  const ascend = jit(
    (x, y) => {
      const loss = () =>
        crossEntropy(network.apply(x!, { training: true, secondOrder: true }), y!, classes, 0)
      const { value, grads } = tf.variableGrads(() => squaredGradientNorm(loss, weights) as never, weights)
      for (const weight of weights)
        weight.assign(weight.add(grads[weight.name]!.mul(limits.learningRate)) as typeof weight)
      return [value]
    },
    {
      variables: [weights, trainable.filter((variable) => variable.rank !== 4), statistics],
      ...(options.eager === undefined ? {} : { eager: options.eager }),
    },
  )
  const x = tf.tensor4d(images, [batch, imageSize, imageSize, 3])
  const y = tf.tensor1d(labels, 'int32')
  let largest = 0
  try {
    for (let step = 0; step < limits.steps; step++) {
      const [squared] = ascend(x, y)
      const norm = Math.sqrt(squared!.dataSync()[0]!)
      squared!.dispose()
      report(step + 1)
      if (!Number.isFinite(norm)) return { gradientNorm: null, failedAt: step }
      largest = Math.max(largest, norm)
      if (norm > limits.maxGradientNorm) return { gradientNorm: norm, failedAt: step }
    }
    return { gradientNorm: largest, failedAt: null }
  } finally {
    x.dispose()
    y.dispose()
    ascend.dispose()
    network.parameters.dispose()
  }
}
