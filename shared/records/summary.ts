import { z } from 'zod'
import { scoresSchema } from './candidate.ts'
import { purposeSchema } from './evaluation.ts'
import { range, real, whole } from './fields.ts'
import { searchSchema } from './search.ts'
import type { Of } from './shapes.ts'

export const funnelSchema = z.object({
  generated: whole,
  duplicate: whole,
  /** Duplicates that only their values told (`SameBy`); the other ones have the same formula. */
  sameFunction: whole,
  static: whole,
  quality: whole,
  stability: whole,
  failed: whole,
  scored: whole,
  pending: whole,
})
/** How many candidates ended where; `generated` is the sum of the others but for `sameFunction`. Baselines are not counted. */
export type Funnel = Of<typeof funnelSchema>

export const summarySchema = z.object({
  search: searchSchema,
  funnel: funnelSchema,
  /** The best layer that the search found, by its longest training; known layers are never found. */
  best: z.object({ number: whole, average: real, purpose: purposeSchema }).nullable(),
  /** The best layer of the literature by a training of the same budget as `best`, among the baselines and the candidates. */
  rival: z.object({ name: z.string(), number: whole, average: real }).nullable(),
  /** Standard deviation of `average` between seeds at the budget of `best`, where verifications have measured it. */
  seedSpread: real.nullable(),
  baselines: z.array(z.object({ name: z.string(), number: whole, scores: scoresSchema.nullable() })),
  /** Best average score so far, a point where it rose: candidate number, seconds of running, score. */
  trend: z.array(z.object({ number: whole, seconds: real, average: real })),
  /** 0..1 of the whole work, null where nothing is known yet. */
  progress: real.nullable(),
  /** Range in seconds until the end, null until five candidates finished. */
  eta: range.nullable(),
  /** Candidates put back in the queue when the program last resumed the search. */
  requeued: whole,
})
/** A search as overviews show it. */
export type SearchSummary = Of<typeof summarySchema>

export const predictionSchema = z.object({
  /** Seconds of the whole search; null where no limit ends it. */
  seconds: range.nullable(),
  /** One worker's seconds for a candidate that is rejected by nothing. */
  candidateSeconds: real,
  /** Whether from trainings seen on this machine, and not from a rule of thumb. */
  measured: z.boolean(),
})
/** What a search will cost, before it starts. */
export type Prediction = Of<typeof predictionSchema>
