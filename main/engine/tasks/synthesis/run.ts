/** One training of a BigGAN with one layer and one seed, from the newest checkpoint in its folder on. */
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type {
  SynthesisConfig,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
} from '../../../../shared/transfer.ts'
import { pointSchema } from '../../../../shared/transfer/records.ts'
import { loadData } from '../../data/index.ts'
import type { LoadedData } from '../../data/dataset.ts'
import { newestCheckpoint, type Format } from '../../checkpoint.ts'
import { environment, environmentally } from '../../environment.ts'
import { owned } from '../../owned.ts'
import { progressFields, type Progress } from '../../session.ts'
import { trainRun, type Measured } from '../training.ts'
import { createBatches, drawWishes } from './batches.ts'
import { cachedClassifier } from './cache.ts'
import { collapse } from './endings.ts'
import { createGan } from './gan.ts'
import { loadInception } from './inception.ts'
import { createJudge, type Judge } from './judge.ts'
import { writeGrid } from './pictures.ts'
import { interpolation, measured, sampleGrid, settle, type Sampler } from './sampling.ts'

type Run = TransferRun & { readonly config: SynthesisConfig }

/** The first one that is not finite is told as the cause. */
const LOSSES = ['discriminator', 'generator'] as const
type Losses = Readonly<Record<(typeof LOSSES)[number], number>>

/** What a checkpoint keeps beside the variables. Chance is named by steps, so that the step is its position. */
type Kept = Own & Progress<(typeof LOSSES)[number], TransferPoint>
type Own = {
  /** Variance of the generated images' features at each measurement, as a fraction of the real images'. */
  readonly variances: readonly number[]
}

const FORMAT: Format<Kept> = {
  who: 'checkpoint',
  state: z.object({ ...progressFields(LOSSES, pointSchema), variances: z.array(z.number()) }),
}

export const runSynthesis = async (
  run: Run,
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const { config, folder, graph, seed } = run
  fs.mkdirSync(folder, { recursive: true })
  const started = performance.now()
  const data = await environmentally(loadData(config.data))
  const batches = environment(() => createBatches(data.training, config.training.batchSize, seed))
  using resources = new DisposableStack()
  const judge = await openJudge(run, data, resources)
  const checkpoint = newestCheckpoint(folder, FORMAT)
  const gan = owned(
    resources,
    createGan({
      graph,
      config,
      classes: data.classes.length,
      seed,
      ...(checkpoint ? { state: checkpoint.tensors } : {}),
    }),
  )
  const variances = [...(checkpoint?.state.variances ?? [])]
  const sampler = { gan, config, data, seed }
  const draw = async (name: string, make: typeof sampleGrid): Promise<void> => {
    const grid = await make(sampler)
    if (grid) await writeGrid(path.join(folder, name), grid.images, grid.columns, config.data.imageSize)
  }
  const measure = async (step: number): Promise<Measured> => {
    await settle(sampler, step)
    const images = await measured(sampler)
    if (!images) return { measures: null, picture: null }
    const { measures, variance } = await judge.scores(images)
    variances.push(variance)
    const picture = `sample-${step}.png`
    await draw(picture, sampleGrid)
    return { measures: { ...measures, ...judge.real }, picture }
  }
  // Awaited here, since the networks go with this function.
  return await trainRun(
    {
      run,
      data: data.report,
      parameters: gan.parameters,
      report,
      losses: LOSSES,
      // The untrained generator is where every curve starts, and what FID is compared with.
      measuresUntrained: true,
      step: (index) => trainStep(index, sampler, batches),
      measure,
      judge: (step, points) => {
        if (points) return collapse(points, variances)
        const reason = `The generator's images were not finite at step ${step}.`
        return step === 0 ? null : { outcome: 'diverged', reason }
      },
      state: () => ({ own: { variances }, tensors: gan.state() }),
      finish: () => draw(`interpolation-${config.training.steps}.png`, interpolation),
    },
    checkpoint,
    started,
  )
}

/** The judge of generated images, and the networks it asks. */
const openJudge = async (
  { config, folder }: Run,
  data: LoadedData,
  resources: DisposableStack,
): Promise<Judge> => {
  // Beside the folder of all runs: the classifier serves every run on the same data.
  const shelf = path.resolve(folder, '..', '..', 'classifiers')
  const classifier = owned(resources, await cachedClassifier(data, shelf))
  const { inception } = config.network
  const critic =
    inception === undefined
      ? classifier
      : owned(
          resources,
          environment(() => loadInception(inception)),
        )
  return createJudge({ critic, classifier }, data, config.sampling.samples)
}

/** One step of the generator after several of the discriminator; `index` counts from 0. */
const trainStep = (
  index: number,
  { gan, config, data, seed }: Sampler,
  batches: ReturnType<typeof createBatches>,
): Losses => {
  const { training, network } = config
  const { batchSize, discriminatorSteps } = training
  const wishes = (...keys: (string | number)[]) =>
    drawWishes(data.training, batchSize, network.latent, ...keys, seed, index)
  let discriminator = 0
  for (let k = 0; k < discriminatorSteps; k++) {
    const batch = index * discriminatorSteps + k
    discriminator +=
      gan.discriminate(batches(batch), wishes('discriminator', k), batch + 1) / discriminatorSteps
  }
  const step = index + 1
  const generator = gan.generate(wishes('generator'), step)
  // Early on the average is short, as it has little to average (TensorFlow's ExponentialMovingAverage).
  gan.average(Math.min(training.ema, (1 + step) / (10 + step)))
  return { discriminator, generator }
}
