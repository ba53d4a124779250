/** One training of a BigGAN with one layer and one seed, from the newest checkpoint in its folder on. */
import fs from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import type {
  Measures,
  SynthesisConfig,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
} from '../../../../shared/transfer.ts'
import { pointSchema } from '../../../../shared/transfer/replies.ts'
import { loadData } from '../../data/index.ts'
import type { LoadedData } from '../../data/dataset.ts'
import {
  keepNewest,
  newestCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type Format,
} from '../../checkpoint.ts'
import { environment, environmentally } from '../../environment.ts'
import { createBatches, drawWishes } from './batches.ts'
import { cachedClassifier } from './cache.ts'
import { collapse, divergence, type Ending } from './endings.ts'
import { createGan, type Gan } from './gan.ts'
import { loadInception } from './inception.ts'
import { createJudge, type Judge } from './judge.ts'
import { writeGrid } from './pictures.ts'
import { interpolation, measured, sampleGrid, settle, type Sampler } from './sampling.ts'

/** Points of the curve, about. */
const POINTS = 100

/** What a checkpoint keeps beside the variables. Chance is named by steps, so that the step is its position. */
type Kept = {
  readonly curve: readonly TransferPoint[]
  /** Of the losses since the last point, and how many steps that is. */
  readonly sums: Sums
  readonly summed: number
  /** Of the features at each measurement, as fractions of the real images'. */
  readonly variances: readonly number[]
  readonly seconds: number
}
type Sums = { readonly generator: number; readonly discriminator: number }

const FORMAT: Format<Kept> = {
  who: 'checkpoint',
  state: z.object({
    curve: z.array(pointSchema),
    sums: z.object({ generator: z.number(), discriminator: z.number() }),
    summed: z.int().min(0),
    variances: z.array(z.number()),
    seconds: z.number().min(0),
  }),
}

export const runSynthesis = async (
  run: TransferRun & { readonly config: SynthesisConfig },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const { config, folder, graph, seed } = run
  fs.mkdirSync(folder, { recursive: true })
  const since = performance.now()
  const data = await environmentally(loadData(config.data))
  const batches = environment(() => createBatches(data.training, config.training.batchSize, seed))
  // Beside the folder of all runs: the classifier serves every run on the same data.
  const shelf = path.resolve(folder, '..', '..', 'classifiers')
  const classifier = await cachedClassifier(data, shelf)
  const { inception } = config.network
  const critic = inception === undefined ? classifier : environment(() => loadInception(inception))
  const judge = await createJudge({ critic, classifier }, data, config.sampling.samples)
  const checkpoint = newestCheckpoint(folder, FORMAT)
  const gan = createGan({
    graph,
    config,
    classes: data.classes.length,
    seed,
    ...(checkpoint ? { state: checkpoint.tensors } : {}),
  })
  try {
    const training = new Training({ run, data, batches, judge, gan, report }, checkpoint, since)
    return await training.run()
  } finally {
    gan.dispose()
    for (const each of new Set([critic, classifier])) each.dispose()
  }
}

type Parts = {
  readonly run: TransferRun & { readonly config: SynthesisConfig }
  readonly data: LoadedData
  readonly batches: ReturnType<typeof createBatches>
  readonly judge: Judge
  readonly gan: Gan
  readonly report: (progress: TransferProgress) => void
}

class Training {
  readonly #parts: Parts
  readonly #sampler: Sampler
  readonly #curve: TransferPoint[]
  readonly #variances: number[]
  #sums: Sums
  #summed: number
  #step: number
  #seconds: number
  #since: number

  constructor(parts: Parts, checkpoint: Checkpoint<Kept> | null, since: number) {
    const { run, data, gan } = parts
    this.#parts = parts
    this.#sampler = { gan, config: run.config, data, seed: run.seed }
    this.#step = checkpoint?.step ?? 0
    this.#curve = [...(checkpoint?.state.curve ?? [])]
    this.#variances = [...(checkpoint?.state.variances ?? [])]
    this.#sums = checkpoint?.state.sums ?? { generator: 0, discriminator: 0 }
    this.#summed = checkpoint?.state.summed ?? 0
    this.#seconds = checkpoint?.state.seconds ?? 0
    this.#since = since
  }

  async run(): Promise<TransferResult> {
    const { evaluateEvery, checkpointEvery, training } = this.#parts.run.config
    const { steps } = training
    const pointEvery = Math.max(1, Math.floor(steps / POINTS))
    // The untrained generator is where every curve starts, and what FID is compared with.
    if (this.#curve.length === 0) await this.#point(true)
    while (this.#step < steps) {
      const ending = this.#train()
      if (ending) return this.#result(ending)
      const step = this.#step
      const last = step === steps
      const measured = step % evaluateEvery === 0 || last
      if (measured || step % pointEvery === 0) {
        const over = await this.#point(measured)
        if (over) return this.#result(over)
      }
      if (step % checkpointEvery === 0 || last) this.#checkpoint()
      await setImmediate()
    }
    await this.#draw(`interpolation-${steps}.png`, interpolation)
    return this.#result(null)
  }

  /** One step of the generator after several of the discriminator. */
  #train(): Ending | null {
    const { run, data, batches, gan } = this.#parts
    const { training, network } = run.config
    const { batchSize, discriminatorSteps } = training
    const wishes = (...keys: (string | number)[]) =>
      drawWishes(data.training, batchSize, network.latent, ...keys, run.seed, this.#step)
    let discriminator = 0
    for (let k = 0; k < discriminatorSteps; k++) {
      const index = this.#step * discriminatorSteps + k
      discriminator +=
        gan.discriminate(batches(index), wishes('discriminator', k), index + 1) / discriminatorSteps
    }
    const generator = gan.generate(wishes('generator'), this.#step + 1)
    this.#step += 1
    // Early on the average is short, as it has little to average (TensorFlow's ExponentialMovingAverage).
    gan.average(Math.min(training.ema, (1 + this.#step) / (10 + this.#step)))
    this.#sums = {
      generator: this.#sums.generator + generator,
      discriminator: this.#sums.discriminator + discriminator,
    }
    this.#summed += 1
    return (
      divergence('discriminator', discriminator, this.#step) ?? divergence('generator', generator, this.#step)
    )
  }

  /** Adds a point to the curve; says whether what was measured ends the run. */
  async #point(measured: boolean): Promise<Ending | null> {
    const step = this.#step
    const { generator, discriminator } = this.#sums
    const losses =
      this.#summed > 0
        ? { generator: generator / this.#summed, discriminator: discriminator / this.#summed }
        : {}
    const picture = measured ? `sample-${step}.png` : null
    const measures = picture ? await this.#measure(picture) : null
    if (measured && !measures)
      return { outcome: 'diverged', reason: `The generator's images were not finite at step ${step}.` }
    const point = { step, losses, measures }
    this.#curve.push(point)
    this.#sums = { generator: 0, discriminator: 0 }
    this.#summed = 0
    this.#parts.report({ step, steps: this.#parts.run.config.training.steps, point, picture })
    const points = this.#curve.filter(({ measures }) => measures !== null)
    return measured ? collapse(points, this.#variances) : null
  }

  /** Null where images are not finite. */
  async #measure(picture: string): Promise<Measures | null> {
    const { judge } = this.#parts
    await settle(this.#sampler, this.#step)
    const images = await measured(this.#sampler)
    if (!images) return null
    const { measures, variance } = await judge.scores(images)
    this.#variances.push(variance)
    await this.#draw(picture, sampleGrid)
    return { ...measures, ...judge.real }
  }

  async #draw(name: string, make: typeof sampleGrid): Promise<void> {
    const { run } = this.#parts
    const grid = await make(this.#sampler)
    if (grid)
      await writeGrid(path.join(run.folder, name), grid.images, grid.columns, run.config.data.imageSize)
  }

  #checkpoint(): void {
    const state: Kept = {
      curve: this.#curve,
      sums: this.#sums,
      summed: this.#summed,
      variances: this.#variances,
      seconds: this.#elapsed(),
    }
    const { run, gan } = this.#parts
    writeCheckpoint(run.folder, { step: this.#step, state, tensors: gan.state() })
  }

  #elapsed(): number {
    const now = performance.now()
    this.#seconds += (now - this.#since) / 1000
    this.#since = now
    return this.#seconds
  }

  #result(ending: Ending | null): TransferResult {
    keepNewest(this.#parts.run.folder)
    return {
      outcome: ending?.outcome ?? 'finished',
      step: this.#step,
      reason: ending?.reason ?? null,
      measures: this.#curve.findLast(({ measures }) => measures)?.measures ?? {},
      curve: this.#curve,
      parameters: this.#parts.gan.parameters,
      seconds: this.#elapsed(),
      data: this.#parts.data.report,
    }
  }
}
