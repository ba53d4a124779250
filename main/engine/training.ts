/** One network under training: a compiled step and a compiled evaluation over shared variables. */
import type { Graph } from '../../shared/graph.ts'
import type { ArchitectureConfig, TrainingConfig } from '../../shared/records.ts'
import { registerGradients } from './gradients/index.ts'
import { createProgram } from './jit/program.ts'
import { createNetwork } from './network.ts'
import { wholeOrNothing } from './owned.ts'
import { loadRuntime, type Tensor } from './runtime.ts'
import { createSgd } from './sgd.ts'
import { namedVariables, restore, stateOf, type State } from './state.ts'

export type TrainerOptions = {
  readonly architecture: ArchitectureConfig
  readonly graph: Graph
  readonly training: TrainingConfig
  readonly imageSize: number
  readonly classes: number
  readonly seed: number
  readonly evaluationBatch: number
  /** Values of the trainable tensors, in order, instead of those drawn from the seed. */
  readonly weights?: readonly Float32Array[]
  /** All that training has changed, as `state` gave it. */
  readonly state?: State
  readonly eager?: boolean
}

export type Trainer = {
  /** One step of SGD on images `[batch, height, width, 3]` and labels `[batch]`; the loss before the step. */
  step(images: Float32Array, labels: Int32Array, rate: number): number
  /** Logits `[evaluationBatch, classes]`, with moving averages in place of batch statistics. */
  predict(images: Float32Array): Float32Array
  /** Values of the trainable tensors as they are now, in order. */
  weights(): Float32Array[]
  /** All that training has changed, by name; see namedVariables. */
  state(): State
  readonly parameters: number
  dispose(): void
}

/** Mean label cross-entropy of logits `[batch, classes]`, with label smoothing. */
export const crossEntropy = (logits: Tensor, labels: Tensor, classes: number, smoothing: number): Tensor => {
  const { tf } = loadRuntime()
  const hot = tf.oneHot(labels as never, classes).cast('float32')
  const target = smoothing > 0 ? hot.mul(1 - smoothing).add(smoothing / classes) : hot
  return target.mul(tf.logSoftmax(logits)).sum(1).mean().neg()
}

/**
 * How many rows of logits `[batch, classes]` have their label's logit above all others. A tie is not right (a layer
 * that says the same of every image knows nothing), nor is a row with a NaN, nor a label of −1.
 */
export const countCorrect = (logits: Float32Array, labels: Int32Array): number => {
  const classes = logits.length / labels.length
  let right = 0
  labels.forEach((label, n) => {
    if (label < 0) return
    const row = logits.subarray(n * classes, (n + 1) * classes)
    if (row.every((logit, c) => c === label || logit < row[label]!)) right++
  })
  return right
}

export const createTrainer = (options: TrainerOptions): Trainer => wholeOrNothing(() => trainerOf(options))

const trainerOf = (options: TrainerOptions): Trainer => {
  const { tf } = loadRuntime()
  registerGradients()
  const { training, imageSize, classes, evaluationBatch } = options
  const network = createNetwork(options.architecture, options.graph, {
    classes,
    groups: training.groups,
    seed: options.seed,
  })
  const { trainable, statistics } = network.parameters
  options.weights?.forEach((values, i) =>
    tf.tidy(() => {
      const variable = trainable[i]!
      variable.assign(tf.tensor(values, variable.shape) as typeof variable)
    }),
  )
  const sgd = createSgd(network.parameters, training)
  const named = namedVariables(network, sgd.velocities)
  if (options.state) restore(named, options.state)

  const images = (batch: number) => ({ shape: [batch, imageSize, imageSize, 3], dtype: 'float32' }) as const
  const labels = (batch: number) => ({ shape: [batch], dtype: 'int32' }) as const
  const declared = [...sgd.variables, statistics]
  const program = createProgram(
    declared,
    {
      train: {
        inputs: [images(training.batchSize), labels(training.batchSize), { shape: [], dtype: 'float32' }],
        step: (x, y, rate) => {
          const { value, grads } = tf.variableGrads(
            () =>
              crossEntropy(
                network.apply(x!, { training: true }),
                y!,
                classes,
                training.labelSmoothing,
              ) as never,
            trainable,
          )
          sgd.apply(grads, rate!)
          return [value]
        },
      },
      predict: {
        inputs: [images(evaluationBatch)],
        step: (x) => [network.apply(x!, { training: false })],
      },
    },
    options.eager === undefined ? {} : { eager: options.eager },
  )

  const run = (name: 'train' | 'predict', inputs: Tensor[]): Float32Array => {
    const [result] = program.run(name, ...inputs)
    const values = result!.dataSync<'float32'>()
    for (const tensor of [...inputs, result!]) tensor.dispose()
    return values
  }
  const imageTensor = (data: Float32Array, batch: number): Tensor =>
    tf.tensor4d(data, [batch, imageSize, imageSize, 3])
  return {
    step: (x, y, rate) =>
      run('train', [imageTensor(x, training.batchSize), tf.tensor1d(y, 'int32'), tf.scalar(rate)])[0]!,
    predict: (x) => run('predict', [imageTensor(x, evaluationBatch)]),
    weights: () =>
      trainable.map((variable) => {
        const tensor = program.read(variable)
        const values = tensor.dataSync<'float32'>().slice()
        tensor.dispose()
        return values
      }),
    state: () => stateOf(named, declared.flat(), program.readAll()),
    parameters: network.size,
    dispose: () => {
      program.dispose()
      network.parameters.dispose()
      sgd.dispose()
    },
  }
}
