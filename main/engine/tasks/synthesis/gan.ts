/**
 * The generator, its moving average and the discriminator under training: compiled functions over shared variables.
 * Source: Brock et al. 2019. Chance is not in here: latents and labels are inputs.
 */
import type { Graph } from '../../../../shared/graph.ts'
import type { SynthesisConfig } from '../../../../shared/transfer.ts'
import { applyAdam, createMoments } from '../../adam.ts'
import { registerGradients } from '../../gradients/index.ts'
import { createProgram } from '../../jit/program.ts'
import { wholeOrNothing } from '../../owned.ts'
import type { Parameters } from '../../parameters.ts'
import { loadRuntime, type Tensor, type Variable } from '../../runtime.ts'
import type { Pictures, Wishes } from './batches.ts'
import { createDiscriminator } from './discriminator.ts'
import { createGenerator } from './generator.ts'
import { discriminatorLoss, generatorLoss } from './losses.ts'
import { orthogonalPenalty } from './orthogonal.ts'

export type GanOptions = {
  readonly graph: Graph
  readonly config: SynthesisConfig
  readonly classes: number
  readonly seed: number
  /** What `state` gave, instead of variables drawn from the seed. */
  readonly state?: readonly Float32Array[]
  readonly eager?: boolean
}

export type Gan = {
  /** One step of the discriminator on real pictures and generated ones; its loss before. `step` counts from 1. */
  discriminate(real: Pictures, wishes: Wishes, step: number): number
  /** One step of the generator; its loss before, regularisation included. `step` counts from 1. */
  generate(wishes: Wishes, step: number): number
  /** Moves the averaged generator towards the generator, of which it keeps `decay`. */
  average(decay: number): void
  /** One pass of the averaged generator in training mode: its batch statistics and singular vectors follow its weights. */
  settle(wishes: Wishes): void
  /** Images of the averaged generator, `[batch, side, side, 3]` in −1..1, with the statistics it has settled to. */
  sample(wishes: Wishes): Float32Array
  /** All variables' values, in order. */
  state(): Float32Array[]
  /** Trainable numbers of the generator and the discriminator. */
  readonly parameters: number
  dispose(): void
}

type Call = 'discriminate' | 'generate' | 'average' | 'settle' | 'sample'

const variablesOf = ({ trainable, statistics }: Parameters): Variable[] => [...trainable, ...statistics]

export const createGan = (options: GanOptions): Gan => wholeOrNothing(() => ganOf(options))

const ganOf = ({ graph, config, classes, seed, state, eager }: GanOptions): Gan => {
  const { tf } = loadRuntime()
  registerGradients()
  const { network, training, data } = config
  const { batchSize: batch, beta1, beta2 } = training
  const shape = { imageSize: data.imageSize, classes, ...network }
  // The average starts as the generator: the same seed gives it the same weights.
  const [generator, averaged] = [0, 1].map(() =>
    createGenerator(graph, { ...shape, groups: training.groups }, `${seed}/generator`),
  ) as [ReturnType<typeof createGenerator>, ReturnType<typeof createGenerator>]
  const discriminator = createDiscriminator(shape, `${seed}/discriminator`)
  const [made, judging, average] = [generator, discriminator, averaged].map((n) => n.weights.parameters) as [
    Parameters,
    Parameters,
    Parameters,
  ]
  const moments = new Map([...made.trainable, ...judging.trainable].map((v) => [v, createMoments(v)]))
  const slots = [...moments.values()].flatMap(({ first, second }) => [first, second])
  const variables = [...[made, judging, average].flatMap(variablesOf), ...slots]
  if (state) restore(variables, state)

  const images = { shape: [batch, data.imageSize, data.imageSize, 3], dtype: 'float32' } as const
  const labels = { shape: [batch], dtype: 'int32' } as const
  const latents = { shape: [batch, network.latent], dtype: 'float32' } as const
  const scalar = { shape: [], dtype: 'float32' } as const
  const adam = [scalar, scalar, scalar]
  const learning = { training: true } as const

  const descend = (
    loss: () => Tensor,
    parameters: Parameters,
    [rate, power1, power2]: readonly Tensor[],
  ): Tensor => {
    const { value, grads } = tf.variableGrads(loss as never, parameters.trainable)
    const step = { rate: rate!, power1: power1!, power2: power2! }
    for (const variable of parameters.trainable)
      applyAdam(variable, moments.get(variable)!, grads[variable.name]!, step, { beta1, beta2 })
    return value
  }

  const program = createProgram(
    variables,
    {
      discriminate: {
        inputs: [images, labels, latents, labels, ...adam],
        step: (real, realLabels, z, fakeLabels, ...rates) => {
          const fake = generator.apply(z!, fakeLabels!, learning)
          const loss = (): Tensor => {
            // One pass over both, as BigGAN: the singular vectors move once a step.
            const both = tf.concat([real!, fake])
            const scores = discriminator.apply(both, tf.concat([realLabels!, fakeLabels!]), learning)
            return discriminatorLoss(scores.slice([0], [batch]), scores.slice([batch], [batch]))
          }
          return [descend(loss, judging, rates)]
        },
      },
      generate: {
        inputs: [latents, labels, ...adam],
        step: (z, wanted, ...rates) => {
          const loss = (): Tensor => {
            const fake = generator.apply(z!, wanted!, learning)
            const hinge = generatorLoss(discriminator.apply(fake, wanted!, learning))
            if (training.orthogonal === 0) return hinge
            return hinge.add(orthogonalPenalty(generator.weights.filters).mul(training.orthogonal))
          }
          return [descend(loss, made, rates)]
        },
      },
      average: {
        inputs: [scalar],
        step: (decay) => {
          average.trainable.forEach((variable, i) => {
            const now = made.trainable[i]!
            variable.assign(now.add(variable.sub(now).mul(decay!)) as Variable)
          })
          return [decay!.mul(1)]
        },
      },
      settle: {
        inputs: [latents, labels],
        step: (z, wanted) => [averaged.apply(z!, wanted!, learning).mean()],
      },
      sample: {
        inputs: [latents, labels],
        step: (z, wanted) => [averaged.apply(z!, wanted!, { training: false })],
      },
    },
    eager === undefined ? {} : { eager },
  )

  const run = (name: Call, inputs: Tensor[]): Float32Array => {
    const [result] = program.run(name, ...inputs)
    const values = result!.dataSync<'float32'>()
    for (const tensor of [...inputs, result!]) tensor.dispose()
    return values
  }
  const wished = ({ latents: z, labels: y }: Wishes): Tensor[] => [
    tf.tensor(z, latents.shape as never),
    tf.tensor1d(y, 'int32'),
  ]
  const adamInputs = (rate: number, step: number): Tensor[] =>
    [rate, beta1 ** step, beta2 ** step].map((value) => tf.scalar(value))
  return {
    discriminate: (real, wishes, step) =>
      run('discriminate', [
        tf.tensor(real.images, images.shape as never),
        tf.tensor1d(real.labels, 'int32'),
        ...wished(wishes),
        ...adamInputs(training.discriminatorRate, step),
      ])[0]!,
    generate: (wishes, step) =>
      run('generate', [...wished(wishes), ...adamInputs(training.generatorRate, step)])[0]!,
    average: (decay) => void run('average', [tf.scalar(decay)]),
    settle: (wishes) => void run('settle', wished(wishes)),
    sample: (wishes) => run('sample', wished(wishes)).slice(),
    state: () =>
      program.readAll().map((tensor) => {
        const values = tensor.dataSync<'float32'>().slice()
        tensor.dispose()
        return values
      }),
    parameters: [made, judging].reduce((sum, { trainable }) => sum + sizeOf(trainable), 0),
    dispose: () => {
      program.dispose()
      for (const parameters of [made, judging, average]) parameters.dispose()
      for (const slot of slots) slot.dispose()
    },
  }
}

const sizeOf = (variables: readonly Variable[]): number => variables.reduce((sum, { size }) => sum + size, 0)

const restore = (variables: readonly Variable[], state: readonly Float32Array[]): void => {
  const { tf } = loadRuntime()
  const sizes = (list: readonly { length: number }[]) => list.map(({ length }) => length).join()
  const needed = variables.map(({ size }) => ({ length: size }))
  if (sizes(needed) !== sizes(state))
    throw new Error('synthesis: the checkpoint is of other networks than this run’s')
  variables.forEach((variable, i) =>
    tf.tidy(() => variable.assign(tf.tensor(state[i]!, variable.shape) as Variable)),
  )
}
