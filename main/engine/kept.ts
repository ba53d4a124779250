/**
 * A classifier's training in a file, written every so many steps: the same training goes on from it, and a backbone can
 * be taken from it. Whose it is stands beside the state, so that no other training goes on from it or overwrites it.
 */
import { z } from 'zod'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import type { CurvePoint, EvaluationTask } from '../../shared/records.ts'
import { architectureSchema, searchConfigSchema } from '../../shared/schemas.ts'
import { kindAt } from '../files.ts'
import { readCheckpoint, readHeader, type Checkpoint, type Format, type Header } from './checkpoint.ts'

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
  readonly architecture: EvaluationTask['architectures'][number]
}

/** What is kept beside the tensors. */
export type KeptTraining = {
  readonly layer: LayerMark
  readonly of: Identity
  /** Of the tensors, in order. */
  readonly names: readonly string[]
  readonly curve: readonly CurvePoint[]
  /** The last one measured. */
  readonly accuracy: number | null
  /** Of the losses since the last point of the curve, and how many steps that is. */
  readonly sum: number
  readonly count: number
  readonly seconds: number
}

/** Of a task with one architecture, and without rejection. */
export const identityOf = ({ seed, data, training, architectures, rejection }: EvaluationTask): Identity => {
  if (architectures.length !== 1 || rejection !== null)
    throw new Error(
      `checkpoint: needs a task with one architecture and no rejection, got ${architectures.length}${rejection ? ' with rejection' : ''}`,
    )
  return { architecture: architectures[0]!, data, training, seed }
}

const fraction = z.number().min(0).max(1)
const count = z.int().min(0)
const { training } = searchConfigSchema.shape
// Verifications are kept, too.
const data = searchConfigSchema.shape.data.extend({ testImages: count.optional() })
const FORMAT: Format<KeptTraining> = {
  who: 'checkpoint',
  state: z.object({
    layer: markSchema,
    of: z.object({ architecture: architectureSchema, data, training, seed: count }),
    names: namesSchema,
    curve: z.array(z.object({ step: count, loss: z.number().nullable(), accuracy: fraction.nullable() })),
    accuracy: fraction.nullable(),
    sum: z.number(),
    count,
    seconds: z.number().min(0),
  }),
}

/**
 * How far a task's training came; null where there is no file yet. Throws one sentence when the file is another
 * training's, or no whole checkpoint.
 */
export const readTraining = (file: string, task: EvaluationTask): Checkpoint<KeptTraining> | null =>
  kindAt(file) === null ? null : readCheckpoint(file, FORMAT, (header) => requireOwn(file, header, task))

/** How far it came in steps, from the file's header alone. */
export const stepReached = (file: string, task: EvaluationTask): number | null => {
  if (kindAt(file) === null) return null
  const header = readHeader(file, FORMAT)
  requireOwn(file, header, task)
  return header.step
}

const requireOwn = (file: string, { step, state }: Header<KeptTraining>, task: EvaluationTask): void => {
  const needed = { layer: markOf(task.graph), ...identityOf(task) }
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
