/** One training of Mask R-CNN with one layer and one seed, from the newest checkpoint in its folder on. */
import fs from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import type { DataReport } from '../../../../shared/data.ts'
import type { Graph } from '../../../../shared/graph.ts'
import type {
  Measures,
  SegmentationConfig,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
} from '../../../../shared/transfer.ts'
import { pointSchema } from '../../../../shared/transfer/replies.ts'
import type { Truth } from '../../metrics/coco.ts'
import { cosineRate } from '../../optimizer.ts'
import {
  keepNewest,
  newestCheckpoint,
  tensorsOf,
  writeCheckpoint,
  type Checkpoint,
  type Format,
} from '../../checkpoint.ts'
import { environment, environmentally } from '../../environment.ts'
import { createBatches } from './batches.ts'
import { openData, type SegmentationData } from './data.ts'
import { createDetector, type Detector, type Losses } from './detector.ts'
import { detectAll, measure, truthsOf } from './evaluation.ts'
import { lenderOf, lenderSchema, lentBackbone, type Lender } from './lent.ts'
import { LOSSES } from './objective.ts'
import { drawOverlay } from './overlay.ts'
import { settingsOf, type Settings } from './settings.ts'
import type { State } from '../../state.ts'

/** Points of the curve, about; images in a picture. */
const POINTS = 100
const PICTURED = 6

/** What a checkpoint keeps beside the tensors. */
type Kept = Lender & {
  readonly curve: readonly TransferPoint[]
  /** Of the losses since the last point, in the order of LOSSES, and how many steps that is. */
  readonly sums: readonly number[]
  readonly summed: number
  readonly seconds: number
}

const FORMAT: Format<Kept> = {
  who: 'checkpoint',
  state: lenderSchema.extend({
    curve: z.array(pointSchema),
    sums: z.array(z.number()).length(LOSSES.length),
    summed: z.int().min(0),
    seconds: z.number().min(0),
  }),
}

export const runSegmentation = async (
  run: TransferRun & { readonly config: SegmentationConfig },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const { config, folder, seed } = run
  const started = performance.now()
  fs.mkdirSync(folder, { recursive: true })
  const { data, report: found } = await environmentally(openData(config))
  const settings = environment(() => settingsOf(config, data.categories.length))
  const checkpoint = newestCheckpoint(folder, FORMAT)
  const state = checkpoint ? tensorsOf(checkpoint) : backboneOf(run)
  const detector = createDetector({
    graph: run.graph,
    settings,
    training: config.training,
    seed,
    ...(state ? { state } : {}),
  })
  try {
    const training = new Training({ run, data, found, settings, detector, report, started }, checkpoint)
    return await training.run()
  } finally {
    detector.dispose()
  }
}

const backboneOf = ({ graph, config: { network } }: { graph: Graph; config: SegmentationConfig }) =>
  network.backbone === undefined
    ? undefined
    : environment(() => lentBackbone(network.backbone!, graph, network))

const allFinite = (state: State): boolean =>
  [...state.values()].every((values) => values.every(Number.isFinite))

type Parts = {
  readonly run: TransferRun & { readonly config: SegmentationConfig }
  readonly data: SegmentationData
  readonly found: DataReport
  readonly settings: Settings
  readonly detector: Detector
  readonly report: (progress: TransferProgress) => void
  /** Of this process's part in it, by performance.now(). */
  readonly started: number
}

class Training {
  readonly #parts: Parts
  readonly #truths: Truth[]
  #curve: TransferPoint[]
  #sums: number[]
  #summed: number
  #step: number
  #seconds: number
  #since: number

  constructor(parts: Parts, checkpoint: Checkpoint<Kept> | null) {
    this.#parts = parts
    this.#since = parts.started
    this.#truths = truthsOf(parts.data.validation)
    this.#step = checkpoint?.step ?? 0
    this.#curve = [...(checkpoint?.state.curve ?? [])]
    this.#sums = [...(checkpoint?.state.sums ?? LOSSES.map(() => 0))]
    this.#summed = checkpoint?.state.summed ?? 0
    this.#seconds = checkpoint?.state.seconds ?? 0
  }

  async run(): Promise<TransferResult> {
    const { run, data, settings, detector } = this.#parts
    const { training, evaluateEvery, checkpointEvery } = run.config
    const { steps, learningRate, warmupSteps } = training
    const batches = createBatches(data.training, settings, run.seed)
    const pointEvery = Math.max(1, Math.floor(steps / POINTS))
    while (this.#step < steps) {
      const batch = await environmentally(batches.at(this.#step))
      const losses = detector.step(batch, cosineRate(learningRate, this.#step, steps, warmupSteps))
      const step = ++this.#step
      const bad = LOSSES.find((loss) => !Number.isFinite(losses[loss]))
      if (bad) return this.#result('diverged', `The ${bad} loss was ${losses[bad]} at step ${step}.`)
      this.#add(losses)
      const measured = step % evaluateEvery === 0 || step === steps
      const kept = step % checkpointEvery === 0 || step === steps
      const state = measured || kept ? detector.state() : null
      if (state && !allFinite(state))
        return this.#result('diverged', `A weight was not finite after step ${step}.`)
      if (measured || step % pointEvery === 0) await this.#point(measured)
      if (state && kept) this.#checkpoint(state)
      // Lets the process's heartbeat and messages out.
      await setImmediate()
    }
    return this.#result('finished', null)
  }

  #add(losses: Losses): void {
    this.#sums = this.#sums.map((sum, i) => sum + losses[LOSSES[i]!])
    this.#summed += 1
  }

  async #point(measured: boolean): Promise<void> {
    const step = this.#step
    const losses = Object.fromEntries(LOSSES.map((loss, i) => [loss, this.#sums[i]! / this.#summed]))
    const [measures, picture] = measured ? await this.#measure() : [null, null]
    const point = { step, losses, measures }
    this.#curve.push(point)
    this.#sums = LOSSES.map(() => 0)
    this.#summed = 0
    this.#parts.report({ step, steps: this.#parts.run.config.training.steps, point, picture })
  }

  async #measure(): Promise<[Measures, string]> {
    const { run, data, settings, detector } = this.#parts
    const detections = await detectAll(detector, data.validation, settings)
    const name = `overlay-${this.#step}.png`
    await drawOverlay(data.validation.slice(0, PICTURED), detections, run.folder, name)
    return [measure(this.#truths, detections), name]
  }

  #checkpoint(named: State): void {
    const { run } = this.#parts
    const state: Kept = {
      ...lenderOf(run.graph, run.config.network),
      curve: this.#curve,
      sums: this.#sums,
      summed: this.#summed,
      seconds: this.#elapsed(),
      names: [...named.keys()],
    }
    writeCheckpoint(run.folder, { step: this.#step, state, tensors: [...named.values()] })
  }

  #elapsed(): number {
    const now = performance.now()
    this.#seconds += (now - this.#since) / 1000
    this.#since = now
    return this.#seconds
  }

  #result(outcome: TransferResult['outcome'], reason: string | null): TransferResult {
    keepNewest(this.#parts.run.folder)
    return {
      outcome,
      step: this.#step,
      reason,
      measures: this.#curve.findLast(({ measures }) => measures)?.measures ?? {},
      curve: this.#curve,
      parameters: this.#parts.detector.parameters,
      seconds: this.#elapsed(),
      data: this.#parts.found,
    }
  }
}
