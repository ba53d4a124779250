/**
 * A classifier's training in a file, written every so many steps: the same training goes on from it, and a backbone can
 * be taken from it. Whose it is stands beside the state, so that no other training goes on from it or overwrites it.
 */
import { z } from 'zod'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { architectureSchema, searchConfigSchema } from '../../shared/records/search-config.ts'
import type { ArchitectureConfig, CurvePoint, EvaluationTask } from '../../shared/records.ts'
import { kindAt } from '../files.ts'
import { readCheckpoint, readHeader, type Checkpoint, type Format, type Header } from './checkpoint.ts'
import { progressFields, type Progress } from './session.ts'

/** The layer that weights were trained with: they are of no use to another one. */
export type LayerMark = { readonly formula: string; readonly fingerprint: string }

export const markOf = (graph: Graph): LayerMark => ({
  formula: formulaText(canonical(graph)),
  fingerprint: fingerprint(graph),
})

export const markSchema: z.ZodType<LayerMark> = z.object({
  formula: z.string().max(10_000),
  fingerprint: z.string().max(64),
})
export const namesSchema = z.array(z.string().max(200))

type Identity = Pick<EvaluationTask, 'seed' | 'data' | 'training'> & {
  readonly architecture: ArchitectureConfig
}

/** What is kept beside the tensors. */
export type KeptTraining = Progress<'loss', CurvePoint> & {
  readonly layer: LayerMark
  readonly of: Identity
  /** Names of the tensors, in order. */
  readonly names: readonly string[]
  /** The last one measured. */
  readonly accuracy: number | null
}

/** What decides every number of one architecture's training, but its layer. */
export const identityOf = (
  task: EvaluationTask,
  architecture: ArchitectureConfig = soleArchitecture(task),
): Identity => {
  const { seed, data, training } = task
  return { architecture, data, training, seed }
}

/** The architecture of a task that has one, and no rejection. */
const soleArchitecture = ({ architectures, rejection }: EvaluationTask): ArchitectureConfig => {
  const [architecture] = architectures
  if (architecture === undefined || architectures.length > 1 || rejection !== null)
    throw new Error(
      `checkpoint: needs a task with one architecture and no rejection, got ${architectures.length}${rejection ? ' with rejection' : ''}`,
    )
  return architecture
}

/** Version 0.1 kept the sum of the losses as `sum`, and how many steps that is as `count`. */
const named = (state: unknown): unknown => {
  if (!isRecord(state) || !('sum' in state)) return state
  const { sum, count, ...rest } = state
  return { ...rest, sums: { loss: sum }, summed: count }
}

const fraction = z.number().min(0).max(1)
const count = z.int().min(0)
const { training } = searchConfigSchema.shape
// Verifications are kept, too.
const data = searchConfigSchema.shape.data.extend({ testImages: count.optional() })
const point = z.object({ step: count, loss: z.number().nullable(), accuracy: fraction.nullable() })
const FORMAT: Format<KeptTraining> = {
  who: 'checkpoint',
  state: z.preprocess(
    named,
    z.object({
      layer: markSchema,
      of: z.object({ architecture: architectureSchema, data, training, seed: count }),
      names: namesSchema,
      accuracy: fraction.nullable(),
      ...progressFields(['loss'], point),
    }),
  ),
}

/**
 * How far a task's training came; null where there is no file yet. Throws one sentence when the file is another
 * training's, or no whole checkpoint.
 */
export const readTraining = (
  file: string,
  task: EvaluationTask,
  architecture = soleArchitecture(task),
): Checkpoint<KeptTraining> | null =>
  kindAt(file) === null
    ? null
    : readCheckpoint(file, FORMAT, (header) => requireOwn(file, header, task, architecture))

/** How far it came in steps, from the file's header alone. */
export const stepReached = (file: string, task: EvaluationTask): number | null => {
  if (kindAt(file) === null) return null
  const header = readHeader(file, FORMAT)
  requireOwn(file, header, task, soleArchitecture(task))
  return header.step
}

const requireOwn = (
  file: string,
  { step, state }: Header<KeptTraining>,
  task: EvaluationTask,
  architecture: ArchitectureConfig,
): void => {
  const needed = { layer: markOf(task.graph), ...identityOf(task, architecture) }
  const difference = firstDifference(needed, { layer: state.layer, ...state.of })
  if (difference !== null) throw new Error(`${file} is of another training: ${difference}`)
  if (step > task.training.steps)
    throw new Error(`checkpoint: ${file}: needed a step up to ${task.training.steps}, got ${step}`)
}

/** "training.steps: needed 200, got 100", of the first place where two values differ; null where they are equal. */
const firstDifference = (needed: unknown, got: unknown, path: readonly string[] = []): string | null => {
  if (!isRecord(needed) || !isRecord(got))
    return JSON.stringify(needed) === JSON.stringify(got)
      ? null
      : `${path.join('.')}: needed ${textOf(needed)}, got ${textOf(got)}`
  for (const key of new Set([...Object.keys(needed), ...Object.keys(got)])) {
    const found = firstDifference(needed[key], got[key], [...path, key])
    if (found !== null) return found
  }
  return null
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none')
