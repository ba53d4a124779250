/**
 * The settings of a search. The order of the keys is the order of the form; `--set` takes the same keys, joined by dots.
 */
import { z } from 'zod'
import { ARCHITECTURE_NAMES, PRESET_NAMES } from '../catalog.ts'
import { dataConfigSchema } from './data.ts'
import { count, fraction, labelled, positive, rate } from './fields.ts'
import { recordKind } from './record.ts'
import type { Of } from './shapes.ts'

export const architectureNameSchema = z.enum(ARCHITECTURE_NAMES)
const multiplier = z.number().min(0.05).max(8)
export const architectureSchema = z.strictObject({
  name: architectureNameSchema,
  width: multiplier,
  depth: multiplier,
})
/** One network to score on. `width` and `depth` multiply channels and blocks a stage. */
export type ArchitectureConfig = Of<typeof architectureSchema>

export const trainingSchema = labelled(
  z.strictObject({
    steps: labelled(positive, 'Steps', { unit: 'steps' }),
    batchSize: labelled(positive, 'Batch', { unit: 'images' }),
    learningRate: labelled(rate, 'Learning rate', { help: 'peak of the cosine schedule' }),
    warmupSteps: labelled(count, 'Warm-up', { unit: 'steps' }),
    momentum: labelled(fraction, 'Nesterov momentum', { help: '0 to 1' }),
    weightDecay: labelled(rate, 'Weight decay'),
    labelSmoothing: labelled(fraction, 'Label smoothing', { help: '0 to 1' }),
    groups: labelled(positive, 'Groups', { unit: 'groups', help: 'of the hwg index set; 32 in the paper' }),
    augment: labelled(z.boolean(), 'Random crop and flip'),
  }),
  'Training',
  { help: 'The protocol that every candidate and every baseline is scored by.' },
)
export type TrainingConfig = Of<typeof trainingSchema>

export const rejectionSchema = labelled(
  z.strictObject({
    /** Below `minAccuracy` validation accuracy after `steps` steps on any architecture: rejected. */
    quality: z.strictObject({
      steps: labelled(count, 'Quality: after', { unit: 'steps' }),
      minAccuracy: labelled(fraction, 'Quality: at least', {
        unit: '%',
        help: 'validation accuracy on every architecture',
        percent: true,
      }),
    }),
    /** A gradient norm above `maxGradientNorm` within `steps` adversarial steps: rejected. */
    stability: z.strictObject({
      steps: labelled(count, 'Stability: ascent', {
        unit: 'steps',
        help: 'of gradient ascent on the gradient norm',
      }),
      maxGradientNorm: labelled(z.number().positive(), 'Stability: norm at most'),
      learningRate: labelled(rate, 'Stability: learning rate'),
      batchSize: labelled(positive, 'Stability: batch', { unit: 'images' }),
    }),
  }),
  'Rejection',
  { help: 'Tests that end a hopeless candidate before its full training.' },
)
export type RejectionConfig = Of<typeof rejectionSchema>

export const evolutionSchema = labelled(
  z.strictObject({
    mode: labelled(z.enum(['evolution', 'random']), 'Mode', {
      choices: { evolution: 'Evolution', random: 'Random search' },
      help: 'random: the same budget without selection',
    }),
    winner: labelled(z.enum(['pareto', 'average']), 'Tournament winner', {
      choices: { pareto: 'One of the Pareto front', average: 'Best average' },
    }),
    /** How the first population is made; `seeded` starts from known layers and their mutations beside random ones. */
    initial: labelled(z.enum(['random', 'seeded']), 'First population', {
      choices: { seeded: 'Known layers, their mutations, random', random: 'Random layers, as in the paper' },
    }),
    /** Size of the first population, before tournaments begin. */
    initialSize: labelled(positive, 'Its size', { unit: 'layers' }),
    /** Sliding window: only so many of the most recent members take part in tournaments. */
    population: labelled(positive, 'Population', { unit: 'layers' }),
    /** Fraction of the population drawn for a tournament. */
    tournament: labelled(fraction, 'Tournament', {
      unit: '%',
      help: 'part of the population drawn',
      percent: true,
    }),
    /** Stops after so many trained candidates, or so many seconds of searching after the baselines; 0: no limit. */
    maxTrained: labelled(count, 'Stop after', { unit: 'trained', help: '0: no limit' }),
    maxSeconds: labelled(count, 'Stop after', {
      unit: 'seconds',
      help: 'of searching, after the baselines; 0: no limit',
    }),
    /**
     * Candidates under evaluation at once. Part of the search's definition, not of the machine: proposals wait
     * for the oldest one, so that the history does not depend on timing or on the number of workers.
     */
    inFlight: labelled(z.int().min(1).max(64), 'Evaluated at once', {
      unit: 'layers',
      help: 'part of the search: its history depends on it',
    }),
    /**
     * Results are taken in the order in which they come, and as many candidates are in flight as the workers need, in
     * place of `inFlight`: no worker waits for the slowest one. The order is recorded, so that the record still tells
     * each proposal.
     */
    asynchronous: z.boolean().optional(),
    /** At most so many members are alive that compute one function at the start of training; 0 or absent: no limit. */
    mostAlike: labelled(count, 'Alike at most', {
      unit: 'layers',
      help: 'alive at once that start training as one function; 0: no limit',
    }).optional(),
    /** After the search the best `count` are trained anew for `steps`; 0 leaves it out. */
    rerank: z.strictObject({
      count: labelled(count, 'Re-rank the best', { unit: 'layers', help: '0: none' }),
      steps: labelled(count, 'Re-rank: train for', { unit: 'steps' }),
    }),
  }),
  'Evolution',
  { help: 'Tournament selection with ageing over a sliding window of the most recent layers.' },
)
export type EvolutionConfig = Of<typeof evolutionSchema>

export const searchConfigSchema = z.strictObject({
  preset: z.enum(PRESET_NAMES),
  seed: labelled(z.int().min(0), 'Seed'),
  space: labelled(z.enum(['B', 'S']), 'Space'),
  data: dataConfigSchema,
  architectures: labelled(z.array(architectureSchema).min(1).max(8), 'Architectures'),
  training: trainingSchema,
  rejection: rejectionSchema,
  evolution: evolutionSchema,
  /** Known layers trained beside the search with the same protocol, by name (see known.ts). */
  baselines: labelled(z.array(z.string().min(1)).max(20), 'Baselines'),
})
export type SearchConfig = Of<typeof searchConfigSchema>

export const SEARCH_CONFIG = recordKind('settings', searchConfigSchema)
