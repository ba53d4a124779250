/**
 * `npm run bench -- fidelity`: how far a short training ranks layers as a long one does. A fixed, stratified set of layers
 * is trained at each rung of the demo's protocol and at `--reference` times its steps; for each rung: rank correlation
 * (Kendall, Spearman) of the mean accuracies with the long training's, and the regret of the best of ten (how much of the
 * long training's accuracy is lost by taking the layer that the rung ranks first among ten, on average over draws).
 *
 *   --data F            CIFAR-10's folder (default: generated images)
 *   --layers N          the first N layers (default: all 60)
 *   --steps a,b,…       rungs (default 30,60,120,240,480)
 *   --architectures …   names (default: the demo's three)
 *   --seeds N           seeds of each rung (default 2); the reference has one of its own
 *   --reference N       times the demo's steps (default 20)
 *   --size N, --depth D also the demo's steps at this image size, at this depth (default 32 and 0.34; 0 leaves it out)
 *   --workers N         (default 1)
 *   --out FILE          where results are appended; what is there is not trained again
 *   --table             only the table of what is there
 *   --draw              draws the layers anew
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createPool, type Pool } from '../../main/workers/pool.ts'
import { ENGINE } from '../../main/workshop.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { Graph } from '../../shared/graph.ts'
import { mean } from '../../shared/pareto.ts'
import type { ArchitectureName, EvaluationTask, SearchConfig } from '../../shared/records.ts'
import { drawLayers, fidelityLayers } from './fidelity/layers.ts'
import { tableText, type Result } from './fidelity/table.ts'

const { config: DEMO } = PRESETS.demo

/** A protocol that layers are trained under. */
export type Rung = Pick<Result, 'steps' | 'seed' | 'size' | 'depth'>

const REFERENCE_SEED = 1000

const taskOf = (graph: Graph, { steps, seed, size, depth }: Rung, config: SearchConfig): EvaluationTask => ({
  purpose: 'score',
  graph,
  seed,
  data: { ...config.data, imageSize: size },
  architectures: config.architectures.map((architecture) => ({ ...architecture, depth })),
  training: {
    ...config.training,
    steps,
    warmupSteps: Math.min(config.training.warmupSteps, Math.ceil(steps / 10)),
  },
  rejection: null,
})

const evaluate = async (pool: Pool, task: EvaluationTask): Promise<Pick<Result, 'scores' | 'seconds'>> => {
  const outcome = await pool.run({ task, search: '', candidate: 0, signal: new AbortController().signal })
  if (outcome.kind !== 'result') throw new Error(`fidelity: needed a result, got ${JSON.stringify(outcome)}`)
  return { scores: outcome.result.scores, seconds: outcome.result.seconds }
}

export const benchFidelity = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      layers: { type: 'string', default: '60' },
      steps: { type: 'string', default: '30,60,120,240,480' },
      architectures: { type: 'string' },
      seeds: { type: 'string', default: '2' },
      reference: { type: 'string', default: '20' },
      size: { type: 'string', default: '32' },
      depth: { type: 'string', default: '0.34' },
      workers: { type: 'string', default: '1' },
      out: { type: 'string', default: 'fidelity.jsonl' },
      table: { type: 'boolean', default: false },
      draw: { type: 'boolean', default: false },
    },
  })
  const file = path.resolve(process.env['INIT_CWD'] ?? '.', values.out)
  const names = values.architectures?.split(',') as readonly ArchitectureName[] | undefined
  const config: SearchConfig = {
    ...DEMO,
    architectures: DEMO.architectures.filter(({ name }) => names?.includes(name) ?? true),
    data: {
      ...DEMO.data,
      ...(values.data === undefined
        ? {}
        : { kind: 'cifar10', path: path.resolve(process.env['INIT_CWD'] ?? '.', values.data) }),
    },
  }
  const pool = createPool({ evaluator: ENGINE, count: Number(values.workers), threads: 1 })
  try {
    if (values.draw) {
      const { steps, minAccuracy } = config.rejection.quality
      const screen = { ...config, architectures: config.architectures.slice(0, 1) }
      const rung = { steps, seed: 1, size: config.data.imageSize, depth: config.architectures[0]!.depth }
      await drawLayers({ evolved: 25, random: 24 }, async (graph) => {
        const { scores } = await evaluate(pool, taskOf(graph, rung, screen))
        return scores !== null && scores[0]! >= minAccuracy
      })
    } else {
      const demo = { size: config.data.imageSize, depth: config.architectures[0]!.depth }
      const { steps } = config.training
      const rungs: Rung[] = [
        { ...demo, steps: Number(values.reference) * steps, seed: REFERENCE_SEED },
        ...Array.from({ length: Number(values.seeds) }, (_, seed) =>
          values.steps.split(',').map((rung) => ({ ...demo, steps: Number(rung), seed: seed + 1 })),
        ).flat(),
        ...(Number(values.size) > 0 ? [{ ...demo, size: Number(values.size), steps, seed: 1 }] : []),
        ...(Number(values.depth) > 0 ? [{ ...demo, depth: Number(values.depth), steps, seed: 1 }] : []),
      ]
      if (!values.table) await train(pool, config, rungs, Number(values.layers), file)
      console.log(tableText(resultsIn(file), config.training.steps * Number(values.reference)))
    }
  } finally {
    pool.close()
  }
}

const resultsIn = (file: string): Result[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        // A line that a kill tore is trained again.
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as Result)
    : []

/** Layer by layer, all rungs of each, so that what is there at any time can be compared. */
const train = async (
  pool: Pool,
  config: SearchConfig,
  rungs: readonly Rung[],
  most: number,
  file: string,
): Promise<void> => {
  const keyOf = ({ name, steps, seed, size, depth }: Rung & { name: string }): string =>
    JSON.stringify([name, steps, seed, size, depth])
  const done = new Set(resultsIn(file).map(keyOf))
  const jobs = fidelityLayers()
    .slice(0, most)
    .flatMap(({ name, kind, graph }) => rungs.map((rung) => ({ name, kind, graph, rung })))
    .filter(({ name, rung }) => !done.has(keyOf({ name, ...rung })))
  const run = async ({ name, kind, graph, rung }: (typeof jobs)[number]): Promise<void> => {
    const result = await evaluate(pool, taskOf(graph, rung, config))
    const architectures = config.architectures.map((architecture) => architecture.name)
    appendFileSync(
      file,
      `${JSON.stringify({ name, kind, ...rung, architectures, ...result } satisfies Result)}\n`,
    )
    const score = result.scores ? mean(result.scores).toFixed(3) : 'diverged'
    console.log(
      `${name}, ${rung.steps} steps, seed ${rung.seed}, ${rung.size} px, depth ${rung.depth}: ${score}`,
    )
  }
  let next = 0
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job; job = jobs[next++]) await run(job)
  }
  await Promise.all(Array.from({ length: pool.count }, work))
}
