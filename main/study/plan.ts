/** What a study compares: ways to search under one budget, each with the same seeds. */
import { z } from 'zod'
import { hash128 } from '../../shared/canonical.ts'
import type { SearchConfig } from '../../shared/records.ts'

const armSchema = z.strictObject({
  name: z.string().min(1).max(60),
  /** Settings in which it differs, as for `search --set`. */
  set: z.array(z.string().max(400)).max(40),
})

export const planSchema = z.strictObject({
  title: z.string().min(1).max(120),
  /** What is known from elsewhere, said beside the result. */
  paper: z.string().max(2000).default(''),
  /** The first one is what the others are compared with. */
  arms: z.array(armSchema).min(2).max(8),
  seeds: z.array(z.int().min(0)).min(2).max(50),
  /** Layers trained by each search: its budget. */
  trained: z.int().min(2),
})
export type Plan = z.infer<typeof planSchema>

const SEEDS = [1, 2, 3, 4, 5]
const TRAINED = 100
const named = (title: string, paper: string, arms: Record<string, readonly string[]>): Plan => ({
  title,
  paper,
  arms: Object.entries(arms).map(([name, set]) => ({ name, set: [...set] })),
  seeds: SEEDS,
  trained: TRAINED,
})
const RANDOM = 'evolution.initial=random'

/** The ablations of Liu et al. 2020, by name. */
export const PLANS: Readonly<Record<string, Plan>> = {
  evolution: named(
    'Evolution and random search',
    'Liu et al. 2020, section 5.3: evolution finds better layers than random search at the same budget; most random layers do not train at all.',
    { 'random search': [RANDOM, 'evolution.mode=random'], evolution: [RANDOM] },
  ),
  winner: named(
    'Winner of a tournament: best average or Pareto frontier',
    'Liu et al. 2020, section 3.3: picking from the Pareto frontier keeps layers that are good on one architecture alone, and transfers better than picking by the average.',
    { 'best average': [RANDOM, 'evolution.winner=average'], 'Pareto frontier': [RANDOM] },
  ),
  rejection: named(
    'With and without early rejection',
    'Liu et al. 2020, section 3.4: the quality criterion saves most of the compute; without the stability test layers are found whose training blows up later.',
    {
      'without rejection': [RANDOM, 'rejection.quality.minAccuracy=0', 'rejection.stability.steps=0'],
      'with rejection': [RANDOM],
    },
  ),
  initial: named(
    'First population: random or known layers',
    'Liu et al. 2020 start from random layers alone; known ones in the first population are this program’s addition.',
    { 'random layers': [RANDOM], 'known layers': ['evolution.initial=seeded'] },
  ),
}

/** A study is known by what it is of: the same plan on the same settings goes on with the searches that are there. */
export const studyId = (plan: Plan, config: SearchConfig): string =>
  hash128(JSON.stringify([plan.arms, plan.trained, { ...config, seed: 0 }])).slice(0, 10)

export type Cell = { readonly arm: number; readonly seed: number; readonly name: string }

/** Seed by seed, so that a study that is cut short has whole pairs. `name` is that of its search. */
export const cellsOf = (plan: Plan, id: string): Cell[] =>
  plan.seeds.flatMap((seed) =>
    plan.arms.map(({ name }, arm) => ({ arm, seed, name: `study ${id}: ${name}, seed ${seed}` })),
  )
