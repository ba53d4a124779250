import { z } from 'zod'
import { dataReportSchema } from './data.ts'
import { real } from './fields.ts'
import { madeSchema } from './made.ts'
import { searchConfigSchema } from './search-config.ts'
import { asStored, type Of } from './shapes.ts'

export const searchStateSchema = z.enum(['running', 'paused', 'stopped', 'done', 'failed'])
export type SearchState = z.infer<typeof searchStateSchema>

export const searchStageSchema = z.enum(['baselines', 'search', 'rerank', 'finished'])
export type SearchStage = z.infer<typeof searchStageSchema>

export const searchSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  config: asStored(searchConfigSchema),
  state: searchStateSchema,
  stage: searchStageSchema,
  /** Why the search failed, one sentence. */
  failure: z.string().nullable(),
  /** Seconds of running so far, pauses and crashes left out. */
  seconds: real,
  /** What it was made with. */
  made: madeSchema,
  /** What its data held at creation; null or absent: generated, or made by an older version. */
  data: dataReportSchema.nullish(),
})
export type Search = Of<typeof searchSchema>
