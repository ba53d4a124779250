/** Transfer of a layer to other tasks than the one it evolved on: the tasks, their configs and what is kept of them. */
import { z } from 'zod'
import { hash128 } from './canonical.ts'
import type { DataReport } from './data.ts'
import type { Graph } from './graph.ts'
import { namesOf } from './names.ts'
import type { PresetName } from './records.ts'
import { recordKind } from './records/record.ts'
import { madeSchema } from './records/made.ts'
import { asStored, type Of } from './records/shapes.ts'
import { promotedLayerSchema, promotionStateSchema } from './transfer/records.ts'
import { segmentation, segmentationSchema, type SegmentationConfig } from './transfer/segmentation.ts'
import { synthesis, synthesisSchema, type SynthesisConfig } from './transfer/synthesis.ts'
import { scaledDown, type Task } from './transfer/task.ts'
import { verification, verificationSchema, type VerificationConfig } from './transfer/verification.ts'

export type { Comparable } from './transfer/comparable.ts'
export type * from './transfer/records.ts'
export type { SegmentationConfig, SynthesisConfig, Task, VerificationConfig }

type Configs = {
  segmentation: SegmentationConfig
  synthesis: SynthesisConfig
  verification: VerificationConfig
}
export type TransferTaskName = keyof Configs
export type TransferConfig = Configs[TransferTaskName]

export const TRANSFER_TASKS: { readonly [N in TransferTaskName]: Task<Configs[N]> } = {
  segmentation,
  synthesis,
  verification,
}
export const TRANSFER_TASK_NAMES = namesOf(TRANSFER_TASKS)

export const transferConfigSchema = z.discriminatedUnion('task', [
  segmentationSchema,
  synthesisSchema,
  verificationSchema,
])

export const promotionSchema = z.object({
  id: z.string(),
  layer: promotedLayerSchema,
  config: asStored(transferConfigSchema),
  /** See `protocolOf`. */
  protocol: z.string(),
  state: promotionStateSchema,
  /** Why it failed, one sentence. */
  failure: z.string().nullable(),
  createdAt: z.string(),
  /** What it was made with. */
  made: madeSchema,
})
/** A layer put to a task, beside its baselines. */
export type Promotion = Of<typeof promotionSchema>

export const TRANSFER_CONFIG = recordKind('settings', transferConfigSchema)

/** What a worker is asked: one training of one layer with one seed. */
export type TransferRun = {
  readonly graph: Graph
  readonly config: TransferConfig
  /** Decides everything that chance does, in place of the config's. */
  readonly seed: number
  /** Its own: checkpoints and pictures. */
  readonly folder: string
}

export const transferPreset = (task: TransferTaskName, preset: PresetName): TransferConfig =>
  TRANSFER_TASKS[task].presets[preset].config

/** The task of a config, by a type that fits it. */
const taskOf = (config: TransferConfig): Task<TransferConfig> =>
  TRANSFER_TASKS[config.task] as Task<TransferConfig>

/** What is scaled down against the paper, a sentence each. */
export const scaledDownOf = (config: TransferConfig, data?: DataReport): string[] =>
  scaledDown(taskOf(config), config, data)

export const roughSecondsOf = (config: TransferConfig): number => taskOf(config).roughSeconds(config)

/** The files that a config's network names, by their fields. */
export const networkFilesOf = (config: TransferConfig): Readonly<Record<string, string>> => {
  const network: Readonly<Record<string, unknown>> = 'network' in config ? config.network : {}
  return Object.fromEntries(
    taskOf(config).files.flatMap((name) => {
      const file = network[name]
      return typeof file === 'string' ? [[name, file]] : []
    }),
  )
}

/** Whether it needs files of the user's. */
export const needsFiles = (config: TransferConfig): boolean =>
  taskOf(config).dataSets[config.data.kind]?.needsPath === true ||
  Object.keys(networkFilesOf(config)).length > 0

/** What its measures are taken with, where they mean nothing without that. */
export const measuredWith = (
  config: TransferConfig,
): { readonly short: string; readonly text: string } | null => taskOf(config).measuredWith?.(config) ?? null

/** The seeds of a config, in order. */
export const seedsOf = ({ seed, seeds }: TransferConfig): number[] =>
  Array.from({ length: seeds }, (_, i) => seed + i)

/**
 * Raised when the readers of users' folders take other images or objects from the same files. 2: copies of validation
 * images are not trained on, boxes are cut to their image, images of all formats count.
 */
const READERS = 2

/**
 * 32 hexadecimal digits for all that decides a run's figures but its layer and its seed: runs with the same are
 * comparable, and one that is finished is not done again. How often checkpoints are written decides nothing.
 */
export const protocolOf = (config: TransferConfig): string => {
  const {
    preset: _,
    seed: _seed,
    seeds: _seeds,
    baselines: _baselines,
    checkpointEvery: _every,
    ...rest
  } = config
  const { version } = TRANSFER_TASKS[config.task]
  const readers = config.data.path === undefined ? {} : { readers: READERS }
  return hash128(sortedJson({ ...rest, ...readers, ...(version > 1 ? { version } : {}) }))
}

/** What makes two promotions of a layer the same: the protocol, the seeds and the baselines. */
export const comparisonOf = (config: TransferConfig): string =>
  hash128(sortedJson([protocolOf(config), seedsOf(config), config.baselines]))

export const runKeyOf = (protocol: string, fingerprint: string, seed: number): string =>
  `${protocol}-${fingerprint}-${seed}`

/** JSON that does not depend on the order of keys. */
const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
