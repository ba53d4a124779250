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
  failures: whole,
  /** What keeps it from being as quick as it could be, a sentence each. */
  notes: z.array(z.string()),
})
export type WorkerStatus = Of<typeof workerSchema>
