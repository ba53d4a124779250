/**
 * Verification: a layer and its baselines trained from scratch on the search's own task, for longer than the search did,
 * with several seeds on each architecture, and measured on images that no search sees.
 */
import { z } from 'zod'
import { ARCHITECTURE_NAMES, ARCHITECTURES, DATA_SETS, PRESETS } from '../catalog.ts'
import { trainingText } from '../data.ts'
import type { SearchConfig } from '../records.ts'
import { measuredDataSchema } from '../records/data.ts'
import { searchConfigSchema, trainingSchema } from '../records/search-config.ts'
import type { Of } from '../records/shapes.ts'
import { comparable } from './comparable.ts'
import type { Measure } from './records.ts'
import type { Task } from './task.ts'

const { evaluateEvery: _, ...fields } = comparable

/** Each network has a column of its own: one of a kind. */
const architectures = searchConfigSchema.shape.architectures.refine(
  (all) => new Set(all.map(({ name }) => name)).size === all.length,
  { message: 'needs each architecture once' },
)

export const verificationSchema = z.strictObject({
  task: z.literal('verification'),
  ...fields,
  /** The search's; `testImages` says how many images that it never saw are measured on. */
  data: measuredDataSchema.required({ testImages: true }),
  architectures,
  training: trainingSchema,
})
/** Held-out images are measured at each quarter of a training. */
export type VerificationConfig = Of<typeof verificationSchema>

/** Times the search's steps, and the seeds, where nothing else is asked for. */
const LONGER = 10
const SEEDS = 3
/** Steps between two checkpoints. */
const CHECKPOINT_EVERY = 200
/** Images that are generated to measure on: five times those of the demo's own validation. */
const GENERATED = 5000

/** How a search's layers are verified: its networks, images and baselines, ten times its steps, three seeds. */
export const verificationOf = ({
  preset,
  data,
  architectures,
  training,
  baselines,
}: Pick<
  SearchConfig,
  'preset' | 'data' | 'architectures' | 'training' | 'baselines'
>): VerificationConfig => ({
  task: 'verification',
  preset,
  data: { ...data, testImages: DATA_SETS[data.kind].needsPath ? 0 : GENERATED },
  architectures: architectures.filter(
    ({ name }, i) => architectures.findIndex((other) => other.name === name) === i,
  ),
  training: { ...training, steps: LONGER * training.steps },
  checkpointEvery: CHECKPOINT_EVERY,
  seed: 1,
  seeds: SEEDS,
  baselines: baselines.length > 0 ? baselines : ['BN-ReLU'],
})

/** A config of this task: its runs say how far a search's scores hold. */
export const isVerification = (config: { readonly task: string }): config is VerificationConfig =>
  config.task === 'verification'

/** Accuracies are means over the networks by this name, and each network's by its own. */
export const ACCURACY = 'accuracy'

const accuracy = (label: string, help: string): Measure => ({
  label,
  unit: 'fraction',
  better: 'higher',
  help,
})
const names = ARCHITECTURE_NAMES

const networksText = ({ architectures }: VerificationConfig): string =>
  architectures
    .map(({ name, width, depth }) => `${ARCHITECTURES[name].short} ×${width}, depth ×${depth}`)
    .join('; ')

export const verification: Task<VerificationConfig> = {
  label: 'Verification',
  short: 'Verification',
  images: 'Images',
  promoted: false,
  judgedBy: 'all',
  files: [],
  pictures: null,
  help: 'Trained from scratch for longer than in the search, with several seeds, and measured on images that no search sees.',
  source: 'Liu et al. 2020, section 5.1: the layers found are trained anew, at full length',
  measures: {
    [ACCURACY]: accuracy('Mean accuracy', 'Accuracy on the held-out images, on average over the networks.'),
    ...Object.fromEntries(
      names.map((name) => [
        name,
        accuracy(
          ARCHITECTURES[name].short,
          `Accuracy of ${ARCHITECTURES[name].label} on the held-out images.`,
        ),
      ]),
    ),
  },
  losses: Object.fromEntries(names.map((name) => [name, ARCHITECTURES[name].short])),
  dataSets: DATA_SETS,
  presets: {
    demo: {
      label: 'Demo',
      help: 'Ten times the demo’s steps on its small networks.',
      config: verificationOf(PRESETS.demo.config),
    },
    overnight: {
      label: 'Overnight',
      help: 'Ten times the overnight search’s steps on CIFAR-10.',
      config: verificationOf(PRESETS.overnight.config),
    },
    paper: {
      label: 'Paper',
      help: 'The paper’s networks; days on a desktop processor.',
      config: verificationOf(PRESETS.paper.config),
    },
  },
  scale: [
    { label: 'Data', of: ({ data }) => DATA_SETS[data.kind].label },
    { label: 'Images', of: ({ data }) => `${data.imageSize} px` },
    { label: 'Training images', of: ({ data }, found) => trainingText(data.trainingImages, found) },
    {
      label: 'Held-out images',
      of: ({ data }, found) => `${found?.validationImages ?? (data.testImages || 'all')}`,
    },
    { label: 'Networks', of: networksText },
    { label: 'Steps', of: ({ training: { steps, batchSize } }) => `${steps} of ${batchSize} images` },
    { label: 'Learning rate', of: ({ training }) => `${training.learningRate}` },
    { label: 'Channel groups', of: ({ training }) => `${training.groups}` },
  ],
  departures: () => [],
  version: 1,
  roughSeconds: ({ architectures, data, training }) => {
    const size = (data.imageSize / 32) ** 2
    const perImage = architectures.reduce(
      (sum, { width, depth }) => sum + 0.006 * Math.max(0.25, (width / 0.25) ** 2) * Math.max(0.25, depth),
      0,
    )
    return 10 + perImage * size * training.steps * training.batchSize
  },
}
