/** What a training might have given, for a fixture: scores, rejections and curves that follow from the graph alone. */
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { INPUTS, type Graph } from '../../shared/graph.ts'
import { createRandom, hash32, type Random } from '../../shared/random.ts'
import type {
  ArchitectureConfig,
  CurvePoint,
  Evaluation,
  EvaluationResult,
  Failure,
  Rejection,
  SearchConfig,
} from '../../shared/records.ts'

/** A preference of this fixture for a piece of a graph, in -1..1: the same piece is worth the same everywhere. */
const worth = (piece: string): number => hash32(piece) / 2 ** 31 - 1

/**
 * Worth of a layer on one architecture: that of its nodes together with what feeds them, so that a child differs
 * from its parent by what was mutated, and selection has something to climb.
 */
const merit = (graph: Graph, architecture: string): number => {
  const { nodes } = canonical(graph)
  const name = (tensor: number): string => INPUTS[tensor] ?? nodes[tensor - INPUTS.length]!.op
  const pieces = new Set(nodes.map(({ op, inputs }) => `${op}(${inputs.map(name).join(',')})`))
  let sum = 0
  for (const piece of pieces) sum += worth(piece) + 0.35 * worth(`${architecture} ${piece}`)
  return sum / pieces.size ** 0.3
}

const CEILING = 0.82
const FLOOR = 0.1

/** Validation accuracy after all steps. */
const accuracyOf = (graph: Graph, architecture: string, bonus: number, random: Random): number =>
  FLOOR +
  (CEILING - FLOOR) / (1 + Math.exp(-0.7 * (merit(graph, architecture) + bonus))) +
  0.008 * random.normal()

const curveOf = (final: number, steps: number, until: number, random: Random): CurvePoint[] => {
  const points: CurvePoint[] = []
  const every = Math.ceil(steps / 4)
  for (let step = 5; step <= until; step += 5) {
    const measured = step % every === 0 || step === until
    if (step % 10 !== 0 && !measured) continue
    const progress = 1 - Math.exp((-3.2 * step) / steps)
    const accuracy = FLOOR + (final - FLOOR) * Math.min(1, progress * 1.04)
    const loss = 2.303 * (1 - 0.92 * accuracy) + 0.03 * random.normal()
    points.push({ step, loss, accuracy: measured ? accuracy : null })
  }
  return points
}

const PARAMETERS: Readonly<Record<ArchitectureConfig['name'], number>> = {
  resnet: 11_274,
  mobilenetv2: 52_970,
  efficientnet: 88_146,
}

export type MadeUp = { readonly result: EvaluationResult } | { readonly failure: Failure }

/** `lucky` raises the layer's worth: known layers are better than what chance finds. */
export const madeUpResult = (
  graph: Graph,
  config: SearchConfig,
  { lucky = 0, judged = true, purpose = 'score' as Evaluation['purpose'] } = {},
): MadeUp => {
  const print = fingerprint(graph)
  const random = createRandom('made-up', print, purpose)
  const fate = random.next()
  if (judged && fate < 0.012) return { failure: failureOf(random) }

  const { quality, stability } = config.rejection
  const steps = purpose === 'rerank' ? config.evolution.rerank.steps : config.training.steps
  const final = new Map(
    config.architectures.map((a) => [
      a.name,
      accuracyOf(graph, a.name, lucky + (purpose === 'rerank' ? 0.25 : 0), random),
    ]),
  )
  const early = (a: ArchitectureConfig): number => FLOOR + (final.get(a.name)! - FLOOR) * 0.34
  const weak = judged ? config.architectures.find((a) => early(a) < quality.minAccuracy) : undefined
  const norm = 10 ** (1.5 + 2.4 * random.next())
  const unstable = judged && !weak && fate > 0.93
  const rejection: Rejection | null = weak
    ? {
        stage: 'quality',
        reason: `validation accuracy too low after ${quality.steps} steps`,
        measured: early(weak),
        limit: quality.minAccuracy,
        architecture: weak.name,
        step: quality.steps,
      }
    : unstable
      ? {
          stage: 'stability',
          reason: 'the gradient norm passed the limit when the weights were moved to raise it',
          measured: norm * 1e7,
          limit: stability.maxGradientNorm,
          architecture: config.architectures[0]!.name,
          step: 1 + random.below(stability.steps),
        }
      : null

  const until = rejection ? Math.min(quality.steps, steps) : steps
  const trained = weak
    ? config.architectures.slice(0, config.architectures.indexOf(weak) + 1)
    : config.architectures
  const evaluations = trained.map((architecture, i): Evaluation => {
    const accuracy = final.get(architecture.name)!
    return {
      architecture,
      purpose,
      seed: config.seed,
      steps: until,
      parameters: PARAMETERS[architecture.name],
      curve: curveOf(accuracy, steps, until, random),
      accuracy: rejection ? null : accuracy,
      gradientNorm: i === 0 && judged && !weak ? (unstable ? norm * 1e7 : norm) : null,
      seconds: (until / 60) * (1 + i) * (0.9 + 0.2 * random.next()),
    }
  })
  const seconds = evaluations.reduce((sum, evaluation) => sum + evaluation.seconds, 0)
  const scores = rejection ? null : config.architectures.map((a) => final.get(a.name)!)
  return { result: { scores, rejection, evaluations, seconds } }
}

const FAILURES: readonly Pick<Failure, 'cause' | 'trace'>[] = [
  {
    cause: 'the worker gave no sign of life for 60 seconds and was ended',
    trace: 'pool: worker 2: last heard of at step 140 of 500 (mobilenetv2)',
  },
  {
    cause: 'the worker ran out of memory',
    trace: 'worker 1: killed by SIGKILL\nlast resident size: 3.9 GB of 4.0 GB allowed',
  },
]

const failureOf = (random: Random): Failure => ({ ...random.pick(FAILURES), attempts: 2 })
