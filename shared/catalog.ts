/** The named lists: architectures, data sets and presets. Every number of a preset can be set. */
import { namesOf } from './names.ts'
import type { SearchConfig } from './records/search-config.ts'

/** An architecture's names; `short` where several stand side by side. */
export type ArchitectureEntry = { readonly label: string; readonly short: string; readonly source: string }

const ARCHITECTURE_TABLE = {
  resnet: { label: 'ResNet-CIFAR', short: 'ResNet', source: 'He et al. 2016' },
  mobilenetv2: { label: 'MobileNetV2-CIFAR', short: 'MobileNetV2', source: 'Sandler et al. 2018' },
  efficientnet: { label: 'EfficientNet-CIFAR', short: 'EfficientNet', source: 'Tan & Le 2019' },
} satisfies Readonly<Record<string, ArchitectureEntry>>
export type ArchitectureName = keyof typeof ARCHITECTURE_TABLE
export const ARCHITECTURES: Readonly<Record<ArchitectureName, ArchitectureEntry>> = ARCHITECTURE_TABLE
export const ARCHITECTURE_NAMES = namesOf(ARCHITECTURES)

/** What the page and the command line know of a data set; who reads it is main/engine/data/<name>.ts. */
export type DataSetEntry = {
  readonly label: string
  readonly help: string
  /** Whether it is read from a folder of the user's; if not, it is made here. */
  readonly needsPath: boolean
  /** Such a folder, to show where its path is asked for. */
  readonly example?: string
  /** The side of its images in pixels; null where any will do. */
  readonly side: number | null
  /** The side that the form begins with, and the preset whose numbers of images it takes. */
  readonly form: { readonly side: number; readonly preset: PresetName }
}

const DATA_SET_TABLE = {
  shapes: {
    label: 'Shapes',
    help: 'Ten classes of textured shapes, generated; nothing to download.',
    needsPath: false,
    side: null,
    form: { side: 16, preset: 'demo' },
  },
  cifar10: {
    label: 'CIFAR-10',
    help: 'A folder with the binary version: data_batch_*.bin, test_batch.bin.',
    needsPath: true,
    example: '/home/me/cifar-10-batches-bin',
    side: 32,
    form: { side: 32, preset: 'overnight' },
  },
  folder: {
    label: 'Folder of images',
    help: 'A sub-folder a class, or train/ and val/ with these: JPEG, PNG, WebP, TIFF, GIF, AVIF.',
    needsPath: true,
    example: '/home/me/pictures',
    side: null,
    form: { side: 64, preset: 'overnight' },
  },
} satisfies Readonly<Record<string, DataSetEntry>>
export type DataSetName = keyof typeof DATA_SET_TABLE
export const DATA_SETS: Readonly<Record<DataSetName, DataSetEntry>> = DATA_SET_TABLE
export const DATA_SET_NAMES = namesOf(DATA_SETS)

export const PRESET_NAMES = ['demo', 'overnight', 'paper'] as const
export type PresetName = (typeof PRESET_NAMES)[number]

/** The paper's, and what its search found. */
const PAPER_BASELINES = ['BN-ReLU', 'GN-ReLU', 'LN-ReLU', 'BN-Swish']
const BASELINES = [...PAPER_BASELINES, 'EvoNorm-B0', 'EvoNorm-S0']

/**
 * Five minutes on two cores, from measurements: images of 16×16 and one block a stage, so that a whole evaluation
 * (three networks) takes about ten seconds of one core and some dozens of layers are trained. Accuracies then lie
 * between 30 and 55 %, far enough apart to tell layers by; the rate is what layers without batch statistics bear in so
 * few steps. The quality limit is lower than the paper's since it is asked after 60 steps and not 100. The window is
 * small enough that layers age out of it.
 */
const DEMO: SearchConfig = {
  preset: 'demo',
  seed: 1,
  space: 'B',
  data: { kind: 'shapes', validationImages: 1000, trainingImages: 4000, imageSize: 16 },
  architectures: [
    { name: 'resnet', width: 0.125, depth: 0.1 },
    { name: 'mobilenetv2', width: 0.25, depth: 0.1 },
    { name: 'efficientnet', width: 0.25, depth: 0.1 },
  ],
  training: {
    steps: 120,
    batchSize: 32,
    learningRate: 0.05,
    warmupSteps: 12,
    momentum: 0.9,
    weightDecay: 5e-4,
    labelSmoothing: 0,
    augment: true,
    groups: 4,
  },
  rejection: {
    quality: { steps: 60, minAccuracy: 0.15 },
    stability: { steps: 20, maxGradientNorm: 1e8, learningRate: 0.1, batchSize: 16 },
  },
  evolution: {
    mode: 'evolution',
    population: 24,
    tournament: 0.2,
    winner: 'pareto',
    initial: 'seeded',
    initialSize: 18,
    maxTrained: 0,
    maxSeconds: 200,
    inFlight: 4,
    mostAlike: 3,
    rerank: { count: 3, steps: 240 },
  },
  baselines: ['BN-ReLU', 'GN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'],
}

const PAPER: SearchConfig = {
  ...DEMO,
  preset: 'paper',
  data: { kind: 'cifar10', validationImages: 10_000, trainingImages: 0, imageSize: 32 },
  architectures: [
    { name: 'resnet', width: 0.25, depth: 1 },
    { name: 'mobilenetv2', width: 0.5, depth: 1 },
    { name: 'efficientnet', width: 0.5, depth: 1 },
  ],
  training: {
    ...DEMO.training,
    steps: 2000,
    batchSize: 128,
    learningRate: 0.1,
    warmupSteps: 0,
    groups: 32,
  },
  rejection: {
    quality: { steps: 100, minAccuracy: 0.2 },
    stability: { steps: 100, maxGradientNorm: 1e8, learningRate: 0.1, batchSize: 64 },
  },
  evolution: {
    mode: 'evolution',
    population: 2500,
    tournament: 0.05,
    winner: 'pareto',
    initial: 'random',
    initialSize: 2500,
    maxTrained: 5000,
    maxSeconds: 0,
    inFlight: 4,
    rerank: { count: 10, steps: 10_000 },
  },
  baselines: PAPER_BASELINES,
}

const OVERNIGHT: SearchConfig = {
  ...DEMO,
  preset: 'overnight',
  data: { kind: 'cifar10', validationImages: 5000, trainingImages: 0, imageSize: 32 },
  architectures: [
    { name: 'resnet', width: 0.25, depth: 0.5 },
    { name: 'mobilenetv2', width: 0.5, depth: 0.5 },
    { name: 'efficientnet', width: 0.5, depth: 0.5 },
  ],
  training: {
    ...DEMO.training,
    steps: 500,
    batchSize: 64,
    learningRate: 0.1,
    warmupSteps: 20,
    groups: 8,
  },
  rejection: {
    quality: { steps: 100, minAccuracy: 0.2 },
    stability: { steps: 100, maxGradientNorm: 1e8, learningRate: 0.1, batchSize: 32 },
  },
  evolution: {
    ...DEMO.evolution,
    population: 200,
    tournament: 0.05,
    initialSize: 60,
    maxSeconds: 8 * 3600,
    rerank: { count: 10, steps: 2000 },
  },
  baselines: BASELINES,
}

export const PRESETS: Readonly<Record<PresetName, { label: string; help: string; config: SearchConfig }>> = {
  demo: {
    label: 'Five-minute demo',
    help: 'Small networks on generated images; starts from known layers.',
    config: DEMO,
  },
  overnight: { label: 'Overnight', help: 'Half-depth networks, eight hours.', config: OVERNIGHT },
  paper: {
    label: 'Paper',
    help: 'The numbers of Liu et al. 2020; weeks on a desktop processor.',
    config: PAPER,
  },
}
