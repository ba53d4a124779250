/**
 * The classifier in whose features and opinions generated images are measured: a small pre-activation ResNet with
 * BN-ReLU, trained on the same training images by a protocol that never changes within a version. Its scores may be
 * compared with scores of the same version on the same data, and with no others: not with those of Inception.
 */
import { setImmediate } from 'node:timers/promises'
import type { Tensor2D } from '@tensorflow/tfjs-node-gpu'
import { knownLayer } from '../../../../shared/known.ts'
import { chain, convolution, createKit, stageOf, type Op } from '../../blocks.ts'
import type { DataSet } from '../../data/dataset.ts'
import { registerGradients } from '../../gradients/index.ts'
import { createProgram } from '../../jit/program.ts'
import { applyMomentum, cosineRate } from '../../optimizer.ts'
import { wholeOrNothing } from '../../owned.ts'
import { createParameters } from '../../parameters.ts'
import { loadRuntime, type Tensor, type Variable } from '../../runtime.ts'
import { crossEntropy } from '../../training.ts'
import { createBatches, fromBytes } from './batches.ts'

/** Goes up with any change of what is below. */
export const CLASSIFIER_VERSION = 1

const PROTOCOL = {
  seed: 1,
  batchSize: 64,
  epochs: 8,
  leastSteps: 20,
  mostSteps: 2000,
  rate: 0.1,
  warmup: 50,
  momentum: 0.9,
  decay: 5e-4,
  stem: 16,
  blocks: 1,
  widest: 32,
} as const

/** Features `[count, dimensions]` and class probabilities `[count, classes]` of images, in their order. */
export type Opinions = {
  readonly features: Float32Array
  readonly dimensions: number
  readonly probabilities: Float32Array
}
export type Critic = {
  /** Judges `count` images of bytes, `[count, side, side, 3]`; the process's heartbeat gets out in between. */
  judge(images: Uint8Array, count: number): Promise<Opinions>
  dispose(): void
}
export type Classifier = Critic & {
  /** Values of all variables, in order. */
  state(): Float32Array[]
}

/** Inner channels of each stage: doubled as the side halves, down to a side of 8. */
const stages = (imageSize: number): number[] =>
  Array.from({ length: Math.max(1, Math.log2(imageSize / 8) + 1) }, (_, i) =>
    Math.min(PROTOCOL.widest, PROTOCOL.stem * 2 ** i),
  )

/** The classifier with given values, or an untrained one to be trained by `trainClassifier`. */
export const createClassifier = (imageSize: number, classes: number, state?: readonly Float32Array[]) =>
  wholeOrNothing(() => classifierOf(imageSize, classes, state))

const classifierOf = (imageSize: number, classes: number, state?: readonly Float32Array[]) => {
  const { tf } = loadRuntime()
  registerGradients()
  const { batchSize: batch, momentum, decay } = PROTOCOL
  const parameters = createParameters(`classifier/${PROTOCOL.seed}`)
  const { trainable, kernels, statistics } = parameters
  const kit = createKit(knownLayer('BN-ReLU').graph, 1, parameters)
  const ops: Op[] = [convolution(kit, 3, 3, PROTOCOL.stem, 1)]
  let channels: number = PROTOCOL.stem
  for (const [i, inner] of stages(imageSize).entries()) {
    const stage = {
      block: 'bottleneck',
      channels: inner,
      repeats: PROTOCOL.blocks,
      stride: i === 0 ? 1 : 2,
    } as const
    const made = stageOf(kit, channels, stage)
    ops.push(made.op)
    channels = made.channels
  }
  const body = chain(...ops, kit.site(channels))
  const weights = parameters.kernel([channels, classes], 6 * channels)
  const bias = parameters.vector(classes, 0)
  const features = (x: Tensor, training: boolean): Tensor => body(x, { training }).mean([1, 2])
  const logits = (h: Tensor): Tensor => tf.matMul(h as Tensor2D, weights as unknown as Tensor2D).add(bias)

  const velocities = trainable.map((variable) => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false)))
  const variables = [...trainable, ...statistics]
  state?.forEach((values, i) =>
    tf.tidy(() => variables[i]!.assign(tf.tensor(values, variables[i]!.shape) as Variable)),
  )
  const decayed = new Set(kernels)
  const images = { shape: [batch, imageSize, imageSize, 3], dtype: 'float32' } as const
  const program = createProgram([...variables, ...velocities], {
    train: {
      inputs: [images, { shape: [batch], dtype: 'int32' }, { shape: [], dtype: 'float32' }],
      step: (x, y, rate) => {
        const loss = () => crossEntropy(logits(features(x!, true)), y!, classes, 0) as never
        const { value, grads } = tf.variableGrads(loss, trainable)
        trainable.forEach((variable, i) => {
          const gradient = grads[variable.name]!
          const whole = decayed.has(variable) ? gradient.add(variable.mul(decay)) : gradient
          applyMomentum(variable, velocities[i]!, whole, rate!, momentum)
        })
        return [value]
      },
    },
    judge: {
      inputs: [images],
      step: (x) => {
        const h = features(x!, false)
        return [h, tf.softmax(logits(h))]
      },
    },
  })
  const valuesOf = (tensors: readonly Tensor[]): Float32Array[] =>
    tensors.map((tensor) => {
      const values = tensor.dataSync<'float32'>().slice()
      tensor.dispose()
      return values
    })
  const given = (values: Float32Array): Tensor =>
    tf.tensor4d(values, [values.length / (imageSize ** 2 * 3), imageSize, imageSize, 3])

  return {
    /** One step; the loss before it. */
    step: (x: Float32Array, y: Int32Array, rate: number): number => {
      const inputs = [given(x), tf.tensor1d(y, 'int32'), tf.scalar(rate)]
      const [loss] = valuesOf(program.run('train', ...inputs))
      for (const tensor of inputs) tensor.dispose()
      return loss![0]!
    },
    judge: async (all: Uint8Array, count: number): Promise<Opinions> => {
      const bytes = all.length / count
      const found = new Float32Array(count * channels)
      const probabilities = new Float32Array(count * classes)
      for (let start = 0; start < count; start += batch) {
        const used = Math.min(batch, count - start)
        const input = given(fromBytes(all.subarray(start * bytes, (start + used) * bytes)))
        const [h, p] = valuesOf(program.run('judge', input))
        input.dispose()
        found.set(h!, start * channels)
        probabilities.set(p!, start * classes)
        await setImmediate()
      }
      return { features: found, dimensions: channels, probabilities }
    },
    state: (): Float32Array[] => valuesOf(program.readAll()).slice(0, variables.length),
    dispose: (): void => {
      program.dispose()
      parameters.dispose()
      for (const velocity of velocities) velocity.dispose()
    },
  }
}

/** Trains the classifier of a data set by the protocol. */
export const trainClassifier = async ({ training, imageSize, classes }: DataSet): Promise<Float32Array[]> => {
  const { epochs, batchSize, leastSteps, mostSteps } = PROTOCOL
  const wanted = epochs * Math.floor(training.count / batchSize)
  const steps = Math.min(mostSteps, Math.max(leastSteps, wanted))
  const classifier = createClassifier(imageSize, classes.length)
  try {
    const batches = createBatches(training, batchSize, PROTOCOL.seed)
    for (let step = 0; step < steps; step++) {
      const { images, labels } = batches(step)
      classifier.step(images, labels, cosineRate(PROTOCOL.rate, step, steps, PROTOCOL.warmup))
      await setImmediate()
    }
    return classifier.state()
  } finally {
    classifier.dispose()
  }
}
