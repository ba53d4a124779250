import { z } from 'zod'
import { evaluationProgressSchema } from './evaluation.ts'
import { real, whole } from './fields.ts'
import type { Of } from './shapes.ts'

export const workerSchema = z.object({
  worker: whole,
  state: z.enum(['starting', 'idle', 'busy', 'dead']),
  search: z.string().nullable(),
  candidate: whole.nullable(),
  progress: evaluationProgressSchema.nullable(),
  /** The run of a transfer (its key) that it trains; `step` null until it has told one. */
  transfer: z.object({ run: z.string(), step: whole.nullable(), steps: whole }).nullable(),
  seconds: real,
  residentBytes: real.nullable(),
  /** The machine that it is on; absent: this one. */
  machine: z.string().optional(),
  failures: whole,
  /** What keeps it from being as quick as it could be, a sentence each. */
  notes: z.array(z.string()),
})
export type WorkerStatus = Of<typeof workerSchema>

/** A machine whose workers take work through Redis. */
export type MachineStatus = {
  readonly id: string
  readonly name: string
  readonly device: string
  readonly processor: string
  /** Jobs at once, and those it has now. */
  readonly capacity: number
  readonly busy: number
  /** It takes nothing more. */
  readonly draining: boolean
  readonly done: number
  readonly failed: number
  /** Jobs an hour, by those of the last ten minutes. */
  readonly perHour: number
  /** What keeps it from work, a sentence each. */
  readonly lacks: readonly string[]
}
