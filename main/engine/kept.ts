/**
 * A classifier's training in a file, written every so many steps: the same training goes on from it, and a backbone can
 * be taken from it. Whose it is stands beside the state, so that no other training goes on from it or overwrites it.
 */
import { existsSync } from 'node:fs'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import type { CurvePoint, EvaluationTask } from '../../shared/records.ts'
import { readTensors, type Checkpoint } from './checkpoint.ts'

/** The layer that weights were trained with: they are of no use to another one. */
export type LayerMark = { readonly formula: string; readonly fingerprint: string }

export const markOf = (graph: Graph): LayerMark => ({
  formula: formulaText(canonical(graph)),
  fingerprint: fingerprint(graph),
})

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

/**
 * How far a task's training came; null where there is no file yet. Throws one sentence when the file is another
 * training's, or no checkpoint at all.
 */
export const readTraining = (file: string, task: EvaluationTask): Checkpoint<KeptTraining> | null => {
  if (!existsSync(file)) return null
  const found = readTensors<Partial<KeptTraining>>(file)
  const { layer, of } = found?.state ?? {}
  if (!found || !layer || !of) throw new Error(`${file}: needed a whole checkpoint of a training, got none`)
  const needed = { layer: markOf(task.graph), ...identityOf(task) }
  const difference = firstDifference(needed, { layer, ...of })
  if (difference !== null) throw new Error(`${file} is of another training: ${difference}`)
  return found as Checkpoint<KeptTraining>
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
