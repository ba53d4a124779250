/**
 * A candidate on every architecture (Liu et al. 2020, sections 3.3 and 3.4): quality after a few training steps,
 * cheapest architecture first; then stability; then the same trainings go on to their full length.
 */
import { multiplyAdds } from '../../shared/architectures/cost.ts'
import type {
  ArchitectureConfig,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Rejection,
} from '../../shared/records.ts'
import { createClassification, type Classification } from './classification.ts'
import { trainingBatches } from './data/batches.ts'
import type { DataSet } from './data/dataset.ts'
import { loadData } from './data/index.ts'
import { identityOf } from './kept.ts'
import { owned } from './owned.ts'
import { testStability } from './stability.ts'

type Report = (progress: EvaluationProgress) => void

/** Evaluates one candidate. A rejection is a result; only what is not the layer's fault throws. */
export const evaluate = async (task: EvaluationTask, report: Report): Promise<EvaluationResult> => {
  const started = performance.now()
  const data = await loadData(task.data)
  // One file holds one training.
  if (task.keep) identityOf(task)
  using resources = new DisposableStack()
  const trainings: Classification[] = []
  /** The gradient norm that the stability test reached, on the cheapest architecture. */
  let gradientNorm: number | null = null
  const done = (scores: number[] | null, rejection: Rejection | null): EvaluationResult => ({
    scores,
    rejection,
    evaluations: trainings.map((training, i) => ({
      ...training.record(),
      gradientNorm: i === 0 ? gradientNorm : null,
    })),
    seconds: trainings.reduce((sum, { before }) => sum + before, (performance.now() - started) / 1000),
  })
  const start = (architecture: ArchitectureConfig): Classification => {
    const { steps } = task.training
    report({ stage: 'prepare', architecture: architecture.name, step: 0, steps, loss: null })
    const options = { task, architecture, data, keep: task.keep ?? null, report }
    const training = owned(resources, createClassification(options))
    trainings.push(training)
    return training
  }
  const cheapestFirst = [...task.architectures].sort(
    (a, b) => multiplyAdds(a, data.imageSize) - multiplyAdds(b, data.imageSize),
  )
  if (task.rejection) {
    const { steps, minAccuracy } = task.rejection.quality
    for (const architecture of cheapestFirst) {
      const training = start(architecture)
      const diverged = await training.train(steps, 'quality')
      const rejection = diverged === null ? weak(training, minAccuracy) : divergence(training, diverged)
      if (rejection) return done(null, rejection)
    }
    const tested = stability(task, cheapestFirst[0]!, data, report)
    gradientNorm = tested.gradientNorm
    if (tested.rejection) return done(null, tested.rejection)
  }
  for (const architecture of cheapestFirst) {
    const training = trainings.find((other) => other.architecture === architecture) ?? start(architecture)
    const diverged = await training.train(task.training.steps, 'train')
    if (diverged !== null) return done(null, divergence(training, diverged))
  }
  const scores = task.architectures.map((a) => trainings.find((t) => t.architecture === a)!.accuracy!)
  return done(scores, null)
}

const weak = (training: Classification, minAccuracy: number): Rejection | null => {
  const accuracy = training.accuracy ?? 0
  // A training without steps can't be asked for quality.
  if (training.step === 0 || accuracy >= minAccuracy) return null
  const reason = `validation accuracy too low after ${training.step} steps`
  const architecture = training.architecture.name
  return {
    stage: 'quality',
    reason,
    measured: accuracy,
    limit: minAccuracy,
    architecture,
    step: training.step,
  }
}

const divergence = ({ architecture }: Classification, step: number): Rejection => ({
  stage: 'quality',
  reason: 'the loss was not finite',
  measured: null,
  limit: null,
  architecture: architecture.name,
  step,
})

/** The adversarial test runs on the cheapest architecture. */
const stability = (
  task: EvaluationTask,
  architecture: ArchitectureConfig,
  data: DataSet,
  report: Report,
): { gradientNorm: number | null; rejection: Rejection | null } => {
  const limits = task.rejection!.stability
  if (limits.steps === 0) return { gradientNorm: null, rejection: null }
  const batch = trainingBatches(data, limits.batchSize, task.seed, false).next().value
  const { graph, seed } = task
  const { gradientNorm, failedAt } = testStability(
    {
      architecture,
      graph,
      limits,
      groups: task.training.groups,
      imageSize: data.imageSize,
      classes: data.classes.length,
      seed,
    },
    batch,
    (step) =>
      report({ stage: 'stability', architecture: architecture.name, step, steps: limits.steps, loss: null }),
  )
  if (failedAt === null) return { gradientNorm, rejection: null }
  const reason =
    gradientNorm === null ? 'the gradient norm was not finite' : 'the gradient norm passed the limit'
  return {
    gradientNorm,
    rejection: {
      stage: 'stability',
      reason: `${reason} when the weights were moved to raise it`,
      measured: gradientNorm,
      limit: limits.maxGradientNorm,
      architecture: architecture.name,
      step: failedAt,
    },
  }
}
