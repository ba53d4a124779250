/** One training of Mask R-CNN with one layer and one seed, from the newest checkpoint in its folder on. */
import fs from 'node:fs'
import { z } from 'zod'
import type { Graph } from '../../../../shared/graph.ts'
import type {
  SegmentationConfig,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
} from '../../../../shared/transfer.ts'
import { pointSchema } from '../../../../shared/transfer/records.ts'
import { newestCheckpoint, tensorsOf, type Format } from '../../checkpoint.ts'
import { environment, environmentally } from '../../environment.ts'
import { cosineRate } from '../../optimizer.ts'
import { owned } from '../../owned.ts'
import { progressFields, type Progress } from '../../session.ts'
import type { State } from '../../state.ts'
import { trainRun, type Measured } from '../training.ts'
import { createBatches } from './batches.ts'
import { openData } from './data.ts'
import { createDetector } from './detector.ts'
import { detectAll, measure, truthsOf } from './evaluation.ts'
import { lenderOf, lenderSchema, lentBackbone, type Lender } from './lent.ts'
import { LOSSES } from './objective.ts'
import { drawOverlay } from './overlay.ts'
import { settingsOf } from './settings.ts'

/** Images in a picture. */
const PICTURED = 6

/** What a checkpoint keeps beside the tensors. */
type Kept = Lender & Progress<(typeof LOSSES)[number], TransferPoint>

/** Checkpoints of version 0.1 list the sums in the order of LOSSES. */
const namedSums = (sums: unknown): unknown =>
  Array.isArray(sums) ? Object.fromEntries(LOSSES.map((loss, i) => [loss, sums[i] as unknown])) : sums

const fields = progressFields(LOSSES, pointSchema)
const FORMAT: Format<Kept> = {
  who: 'checkpoint',
  state: lenderSchema.extend({ ...fields, sums: z.preprocess(namedSums, fields.sums) }),
}

export const runSegmentation = async (
  run: TransferRun & { readonly config: SegmentationConfig },
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const { graph, config, folder, seed } = run
  const { steps, learningRate, warmupSteps } = config.training
  const started = performance.now()
  fs.mkdirSync(folder, { recursive: true })
  const { data, report: found } = await environmentally(openData(config))
  const settings = environment(() => settingsOf(config, data.categories.length))
  const checkpoint = newestCheckpoint(folder, FORMAT)
  const state = checkpoint ? tensorsOf(checkpoint) : backboneOf(run)
  const truths = truthsOf(data.validation)
  const batches = createBatches(data.training, settings, seed)
  using resources = new DisposableStack()
  const detector = owned(
    resources,
    createDetector({ graph, settings, training: config.training, seed, ...(state ? { state } : {}) }),
  )

  const measured = async (step: number): Promise<Measured> => {
    const detections = await detectAll(detector, data.validation, settings)
    const picture = `overlay-${step}.png`
    await drawOverlay(data.validation.slice(0, PICTURED), detections, folder, picture)
    return { measures: measure(truths, detections), picture }
  }
  let named: State = new Map()
  // Awaited here, since the detector goes with this function.
  return await trainRun(
    {
      run,
      data: found,
      parameters: detector.parameters,
      report,
      losses: LOSSES,
      step: async (index) =>
        detector.step(
          await environmentally(batches.at(index)),
          cosineRate(learningRate, index, steps, warmupSteps),
        ),
      examine: (step) => {
        named = detector.state()
        return allFinite(named)
          ? null
          : { outcome: 'diverged', reason: `A weight was not finite after step ${step}.` }
      },
      measure: measured,
      judge: () => null,
      state: () => ({
        own: { ...lenderOf(graph, config.network), names: [...named.keys()] },
        tensors: [...named.values()],
      }),
    },
    checkpoint,
    started,
  )
}

const backboneOf = ({ graph, config: { network } }: { graph: Graph; config: SegmentationConfig }) =>
  network.backbone === undefined
    ? undefined
    : environment(() => lentBackbone(network.backbone!, graph, network))

const allFinite = (state: State): boolean =>
  [...state.values()].every((values) => values.every(Number.isFinite))
