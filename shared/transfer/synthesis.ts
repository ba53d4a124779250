/**
 * Class-conditional synthesis: a BigGAN, the promoted layer in the generator with a conditional affine, the
 * discriminator without normalisation. Sources: Brock et al. 2019 (BigGAN), Liu et al. 2020, section 5.3.
 */
import { z } from 'zod'
import { trainingText } from '../data.ts'
import { splitChoice } from '../records/data.ts'
import { count, fraction, positive, rate } from '../records/fields.ts'
import type { Of } from '../records/shapes.ts'
import { comparable } from './comparable.ts'
import { dataDepartures, dataName, type Task } from './task.ts'

export const synthesisSchema = z.strictObject({
  task: z.literal('synthesis'),
  ...comparable,
  data: z.strictObject({
    kind: z.enum(['shapes', 'cifar10', 'folder']),
    path: z.string().min(1).optional(),
    /** Side of the square images. */
    imageSize: z.literal([16, 32, 64, 128]),
    /** At most so many are used; 0 means all. */
    trainingImages: count,
    /** Held out: what the generated images are compared with. */
    validationImages: positive,
    ...splitChoice,
  }),
  network: z.strictObject({
    /** Channels multiplier of both networks (`ch` in BigGAN). */
    channels: positive,
    /** Latents in all, shared out among the first layer and the blocks. */
    latent: positive,
    sharedEmbedding: positive,
    /** Side of the feature maps with the self-attention block; 0: none. */
    attention: count,
    /** A frozen Inception graph (.pb) for standard scores. */
    inception: z.string().min(1).optional(),
  }),
  training: z.strictObject({
    /** Steps of the generator. */
    steps: positive,
    batchSize: positive,
    generatorRate: rate,
    discriminatorRate: rate,
    /** Steps of the discriminator for each of the generator. */
    discriminatorSteps: positive,
    beta1: fraction,
    beta2: fraction,
    /** Decay of the generator's moving average; samples are made from it. */
    ema: fraction,
    /** Weight of the orthogonal regularisation; 0: none. */
    orthogonal: rate,
    /** Groups of the `hwg` index set. */
    groups: positive,
  }),
  sampling: z.strictObject({
    /** Images generated for each measurement. */
    samples: z.int().min(16),
    /** Latents beyond this are drawn again in sample grids; 0: none are. */
    truncation: rate,
  }),
})
export type SynthesisConfig = Of<typeof synthesisSchema>

const DEMO: SynthesisConfig = {
  task: 'synthesis',
  preset: 'demo',
  data: { kind: 'shapes', imageSize: 32, trainingImages: 4000, validationImages: 1000 },
  network: { channels: 8, latent: 40, sharedEmbedding: 32, attention: 16 },
  training: {
    steps: 2000,
    batchSize: 32,
    // Five times BigGAN-PyTorch's for CIFAR-10, and one step for one: the most from few minutes, found by trying.
    generatorRate: 1e-3,
    discriminatorRate: 1e-3,
    discriminatorSteps: 1,
    beta1: 0,
    beta2: 0.999,
    ema: 0.99,
    orthogonal: 1e-4,
    groups: 8,
  },
  sampling: { samples: 1000, truncation: 0 },
  evaluateEvery: 400,
  checkpointEvery: 100,
  seed: 1,
  seeds: 3,
  baselines: ['BN-ReLU', 'GN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'],
}

const OVERNIGHT: SynthesisConfig = {
  ...DEMO,
  preset: 'overnight',
  data: { kind: 'cifar10', imageSize: 32, trainingImages: 0, validationImages: 5000 },
  network: { channels: 32, latent: 80, sharedEmbedding: 128, attention: 16 },
  training: {
    ...DEMO.training,
    steps: 10_000,
    batchSize: 50,
    generatorRate: 2e-4,
    discriminatorRate: 2e-4,
    discriminatorSteps: 4,
    ema: 0.999,
  },
  sampling: { samples: 5000, truncation: 0 },
  evaluateEvery: 1000,
  checkpointEvery: 200,
}

const PAPER: SynthesisConfig = {
  ...DEMO,
  preset: 'paper',
  data: { kind: 'folder', imageSize: 128, trainingImages: 0, validationImages: 50_000 },
  network: { channels: 96, latent: 120, sharedEmbedding: 128, attention: 64 },
  training: {
    ...DEMO.training,
    steps: 150_000,
    batchSize: 2048,
    generatorRate: 5e-5,
    discriminatorRate: 2e-4,
    discriminatorSteps: 2,
    ema: 0.9999,
    groups: 32,
  },
  sampling: { samples: 50_000, truncation: 0 },
  evaluateEvery: 1000,
  checkpointEvery: 250,
}

export const synthesis: Task<SynthesisConfig> = {
  label: 'Image synthesis',
  short: 'Synthesis',
  images: 'Images',
  promoted: true,
  judgedBy: 'first',
  files: ['inception'],
  pictures: {
    kind: 'sample',
    title: 'Samples',
    note: 'from the same latents at every checkpoint',
    small: true,
  },
  measuredWith: ({ network: { inception } }) =>
    inception === undefined
      ? {
          short: 'own classifier',
          text: 'Images are seen by a classifier that this program trains on the same data by a fixed protocol, not by Inception: these figures compare with each other, and with no others.',
        }
      : { short: 'Inception, as given', text: `Images are seen by the network in ${inception}.` },
  help: 'A class-conditional BigGAN: images of every class from noise.',
  source: 'Brock et al. 2019; Liu et al. 2020, section 5.3',
  measures: {
    fid: {
      label: 'FID',
      unit: 'points',
      better: 'lower',
      help: "Fréchet distance between generated and held-out images, in this program's own classifier's features.",
      real: {
        name: 'realFid',
        help: 'Of as many training images as are generated, measured like them: what a perfect generator would reach.',
      },
    },
    inceptionScore: {
      label: 'Inception Score',
      unit: 'points',
      better: 'higher',
      help: "How clearly and how variously this program's own classifier sees the generated images.",
      real: { name: 'realInceptionScore', help: 'Of the held-out images.' },
    },
    agreement: {
      label: 'Class agreement',
      unit: 'fraction',
      better: 'higher',
      help: 'Generated images that the classifier takes for the class they were asked for.',
      real: { name: 'realAgreement', help: 'Held-out images that the classifier takes for their own class.' },
    },
  },
  losses: { generator: 'Generator', discriminator: 'Discriminator' },
  dataSets: {
    shapes: { label: 'Shapes', help: 'Ten classes of textured shapes, generated.', needsPath: false },
    cifar10: { label: 'CIFAR-10', help: 'A folder with the binary version.', needsPath: true, side: 32 },
    folder: {
      label: 'Folder of images',
      short: 'Folder',
      inProtocol: {
        name: 'ImageNet (a folder)',
        departure: 'The folder is taken for ImageNet, which nobody checks',
      },
      help: 'A sub-folder a class, or train/ and val/ with these: JPEG, PNG, WebP, TIFF, GIF, AVIF.',
      needsPath: true,
    },
  },
  presets: {
    demo: { label: 'Demo', help: 'Narrow networks on generated 32-pixel images.', config: DEMO },
    overnight: { label: 'Overnight', help: 'Wider networks on CIFAR-10.', config: OVERNIGHT },
    paper: { label: 'Paper', help: 'BigGAN on ImageNet at 128 pixels; many GPUs.', config: PAPER },
  },
  scale: [
    {
      label: 'Data',
      of: ({ data }) => dataName(synthesis, data.kind),
    },
    { label: 'Images', of: ({ data }) => `${data.imageSize} px` },
    { label: 'Training images', of: ({ data }, found) => trainingText(data.trainingImages, found) },
    { label: 'Channels', of: ({ network }) => `${network.channels}` },
    { label: 'Latents', of: ({ network }) => `${network.latent}` },
    { label: 'Class embedding', of: ({ network }) => `${network.sharedEmbedding}` },
    {
      label: 'Self-attention',
      of: ({ network }) => (network.attention ? `on maps of ${network.attention} px` : 'none'),
    },
    { label: 'Channel groups', of: ({ training }) => `${training.groups}` },
    { label: 'Steps', of: ({ training: { steps, batchSize } }) => `${steps} of ${batchSize} images` },
    {
      label: 'Discriminator steps',
      of: ({ training }) => `${training.discriminatorSteps} for each of the generator`,
    },
    {
      label: 'Learning rates',
      of: ({ training }) =>
        `generator ${training.generatorRate}, discriminator ${training.discriminatorRate}`,
    },
    { label: "Generator's average", of: ({ training }) => `decay ${training.ema}` },
    { label: 'Images measured', of: ({ sampling }) => `${sampling.samples}` },
    {
      label: 'Real ones they are measured against',
      of: ({ data }, found) => `${found?.validationImages ?? data.validationImages}`,
    },
    { label: 'Scores', of: ({ network }) => (network.inception ? 'Inception' : "this program's classifier") },
  ],
  departures: ({ data }) => [
    ...dataDepartures(synthesis, data.kind),
    "FID is measured against images held out of training; BigGAN's code measures it against the training images",
    "Batch statistics at sampling: the averaged generator's own over 40 passes, late ones weighing more; in the paper all alike",
    'No augmentation of the images',
  ],
  version: 1,
  roughSeconds: ({ data, network, training, sampling, evaluateEvery }) => {
    const size = (data.imageSize / 32) ** 2 * Math.max(0.25, (network.channels / 16) ** 2)
    const trained = training.steps * training.batchSize * (1 + training.discriminatorSteps)
    const measured =
      (1 + Math.ceil(training.steps / evaluateEvery)) * (sampling.samples + 40 * training.batchSize)
    return 75 + (0.009 * trained + 0.005 * measured) * size
  },
}
