/** Validation of what comes from outside (a page, a file, a command line): the records' shapes as zod schemas. */
import { z } from 'zod'
import { splitChoice } from './data.ts'
import type { Graph } from './graph.ts'
import { OP_NAMES } from './ops.ts'
import type { ArchitectureConfig, SearchConfig } from './records.ts'
import { count, fraction, positive, rate } from './transfer/fields.ts'

export const graphSchema: z.ZodType<Graph> = z.strictObject({
  version: z.literal(1),
  nodes: z
    .array(z.strictObject({ op: z.enum(OP_NAMES), inputs: z.array(count).min(1).max(2) }))
    .min(1)
    .max(64),
  affine: z.boolean(),
})

export const architectureSchema = z.strictObject({
  name: z.enum(['resnet', 'mobilenetv2', 'efficientnet']),
  width: z.number().min(0.05).max(8),
  depth: z.number().min(0.05).max(8),
}) satisfies z.ZodType<ArchitectureConfig>

export const searchConfigSchema = z.strictObject({
  preset: z.enum(['demo', 'overnight', 'paper']),
  seed: z.int().min(0),
  space: z.enum(['B', 'S']),
  data: z.strictObject({
    kind: z.enum(['shapes', 'cifar10', 'folder']),
    path: z.string().min(1).optional(),
    validationImages: positive,
    trainingImages: count,
    imageSize: z.int().min(8).max(512),
    ...splitChoice,
  }),
  architectures: z.array(architectureSchema).min(1).max(8).readonly(),
  training: z.strictObject({
    steps: positive,
    batchSize: positive,
    learningRate: rate,
    warmupSteps: count,
    momentum: fraction,
    weightDecay: rate,
    labelSmoothing: fraction,
    augment: z.boolean(),
    groups: positive,
  }),
  rejection: z.strictObject({
    quality: z.strictObject({ steps: count, minAccuracy: fraction }),
    stability: z.strictObject({
      steps: count,
      maxGradientNorm: z.number().positive(),
      learningRate: rate,
      batchSize: positive,
    }),
  }),
  evolution: z.strictObject({
    mode: z.enum(['evolution', 'random']),
    population: positive,
    tournament: fraction,
    winner: z.enum(['pareto', 'average']),
    initial: z.enum(['random', 'seeded']),
    initialSize: positive,
    maxTrained: count,
    maxSeconds: count,
    inFlight: z.int().min(1).max(64),
    asynchronous: z.boolean().optional(),
    mostAlike: count.optional(),
    rerank: z.strictObject({ count, steps: count }),
  }),
  baselines: z.array(z.string().min(1)).max(20).readonly(),
}) satisfies z.ZodType<SearchConfig>
