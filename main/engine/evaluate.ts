/**
 * A candidate on every architecture (Liu et al. 2020, sections 3.3 and 3.4): quality after a few training steps,
 * cheapest architecture first; then stability; then the same trainings go on to their full length.
 */
import { multiplyAdds } from '../../shared/architectures/cost.ts'
import type {
  ArchitectureConfig,
  CurvePoint,
  Evaluation,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Rejection,
} from '../../shared/records.ts'
import { trainingBatches, validationBatches, type Batch } from './data/batches.ts'
import type { DataSet } from './data/dataset.ts'
import { loadData } from './data/index.ts'
import { cosineRate } from './optimizer.ts'
import { testStability } from './stability.ts'
import { identityOf, markOf, readTraining, type KeptTraining } from './kept.ts'
import { tensorsOf, writeTensors } from './checkpoint.ts'
import { environment } from './environment.ts'
import { countCorrect, createTrainer, type Trainer } from './training.ts'
import { compiledWherePaying } from './xla.ts'

type Report = (progress: EvaluationProgress) => void
/** Steps whose losses are averaged into one point of the curve. */
const LOSS_EVERY = 10
/** Validation accuracies taken along a training, the last step's included. */
const ACCURACIES = 4
const EVALUATION_BATCH = 100

/** What a training begins with. */
const FRESH: Pick<KeptTraining, 'curve' | 'accuracy' | 'sum' | 'count' | 'seconds'> = {
  curve: [],
  accuracy: null,
  sum: 0,
  count: 0,
  seconds: 0,
}

/** One architecture's training in progress. */
class Training {
  readonly architecture: ArchitectureConfig
  readonly curve: CurvePoint[]
  accuracy: number | null
  gradientNorm: number | null = null
  /** Of work before this process took it up. */
  readonly before: number
  #step: number
  #seconds: number
  /** Of the losses since the last point of the curve. */
  #sum: number
  #count: number
  readonly #task: EvaluationTask
  readonly #data: DataSet
  readonly #trainer: Trainer
  readonly #batches: Generator<Batch, never>

  constructor(architecture: ArchitectureConfig, task: EvaluationTask, data: DataSet) {
    const started = performance.now()
    const { training, graph, seed, keep } = task
    const kept = keep ? environment(() => readTraining(keep.file, task)) : null
    const { curve, accuracy, sum, count, seconds } = kept?.state ?? FRESH
    this.architecture = architecture
    this.curve = [...curve]
    this.accuracy = accuracy
    this.before = seconds
    this.#step = kept?.step ?? 0
    this.#seconds = seconds
    this.#sum = sum
    this.#count = count
    this.#task = task
    this.#data = data
    this.#batches = trainingBatches(data, training.batchSize, seed, training.augment, this.#step)
    const classes = data.classes.length
    const evaluationBatch = Math.min(EVALUATION_BATCH, data.validation.count)
    this.#trainer = compiledWherePaying(architecture, training.steps, () =>
      createTrainer({
        architecture,
        graph,
        training,
        seed,
        classes,
        imageSize: data.imageSize,
        evaluationBatch,
        ...(kept ? { state: tensorsOf(kept) } : {}),
      }),
    )
    this.#seconds += (performance.now() - started) / 1000
  }

  get step(): number {
    return this.#step
  }

  /** Trains until `until`; gives the step at which the loss was no longer finite, or null. */
  async advance(until: number, report: Report, stage: 'quality' | 'train'): Promise<number | null> {
    const { steps, learningRate, warmupSteps } = this.#task.training
    const every = Math.ceil(steps / ACCURACIES)
    let since = performance.now()
    const elapse = (): void => {
      const now = performance.now()
      this.#seconds += (now - since) / 1000
      since = now
    }
    let diverged: number | null = null
    while (this.#step < until && diverged === null) {
      const { images, labels } = this.#batches.next().value
      const loss = this.#trainer.step(
        images,
        labels,
        cosineRate(learningRate, this.#step, steps, warmupSteps),
      )
      this.#step++
      if (!Number.isFinite(loss)) {
        diverged = this.#step
        this.accuracy = null
      }
      this.#sum += loss
      this.#count++
      const measure = diverged === null && (this.#step % every === 0 || this.#step === until)
      if (diverged === null && (this.#count === LOSS_EVERY || measure)) {
        if (measure) this.accuracy = this.#validate()
        const mean = this.#sum / this.#count
        this.curve.push({ step: this.#step, loss: mean, accuracy: measure ? this.accuracy : null })
        report({ stage, architecture: this.architecture.name, step: this.#step, steps, loss: mean })
        this.#sum = this.#count = 0
        // Lets the process's heartbeat and messages out.
        await new Promise((resolve) => setImmediate(resolve))
      }
      const { keep } = this.#task
      if (keep && diverged === null && (this.#step % keep.every === 0 || this.#step === steps)) {
        elapse()
        this.#keep(keep.file)
      }
    }
    elapse()
    return diverged
  }

  #validate(): number {
    let correct = 0
    for (const { images, labels } of validationBatches(
      this.#data,
      Math.min(EVALUATION_BATCH, this.#data.validation.count),
    ))
      correct += countCorrect(this.#trainer.predict(images), labels)
    return correct / this.#data.validation.count
  }

  record(): Evaluation {
    const { purpose, seed, training } = this.#task
    return {
      architecture: this.architecture,
      purpose,
      seed,
      steps: this.#step,
      parameters: this.#trainer.parameters,
      curve: this.curve,
      accuracy: this.#step === training.steps ? this.accuracy : null,
      gradientNorm: this.gradientNorm,
      seconds: this.#seconds,
    }
  }

  #keep(file: string): void {
    const named = this.#trainer.state()
    const state: KeptTraining = {
      layer: markOf(this.#task.graph),
      of: identityOf(this.#task),
      names: [...named.keys()],
      curve: this.curve,
      accuracy: this.accuracy,
      sum: this.#sum,
      count: this.#count,
      seconds: this.#seconds,
    }
    writeTensors(file, { step: this.#step, state, tensors: [...named.values()] })
  }

  dispose(): void {
    this.#trainer.dispose()
  }
}

/** Evaluates one candidate. A rejection is a result; only what is not the layer's fault throws. */
export const evaluate = async (task: EvaluationTask, report: Report): Promise<EvaluationResult> => {
  const started = performance.now()
  const data = await loadData(task.data)
  const trainings: Training[] = []
  const done = (scores: number[] | null, rejection: Rejection | null): EvaluationResult => ({
    scores,
    rejection,
    evaluations: trainings.map((training) => training.record()),
    seconds: trainings.reduce((sum, { before }) => sum + before, (performance.now() - started) / 1000),
  })
  const start = (architecture: ArchitectureConfig): Training => {
    report({
      stage: 'prepare',
      architecture: architecture.name,
      step: 0,
      steps: task.training.steps,
      loss: null,
    })
    const training = new Training(architecture, task, data)
    trainings.push(training)
    return training
  }
  const cheapestFirst = [...task.architectures].sort(
    (a, b) => multiplyAdds(a, data.imageSize) - multiplyAdds(b, data.imageSize),
  )
  try {
    if (task.rejection) {
      const { steps, minAccuracy } = task.rejection.quality
      for (const architecture of cheapestFirst) {
        const training = start(architecture)
        const diverged = await training.advance(Math.min(steps, task.training.steps), report, 'quality')
        const rejection = diverged === null ? weak(training, minAccuracy) : divergence(training, diverged)
        if (rejection) return done(null, rejection)
      }
      const unstable = stability(task, cheapestFirst[0]!, trainings[0]!, data, report)
      if (unstable) return done(null, unstable)
    }
    for (const architecture of cheapestFirst) {
      const training = trainings.find((other) => other.architecture === architecture) ?? start(architecture)
      const diverged = await training.advance(task.training.steps, report, 'train')
      if (diverged !== null) return done(null, divergence(training, diverged))
    }
    const scores = task.architectures.map((a) => trainings.find((t) => t.architecture === a)!.accuracy!)
    return done(scores, null)
  } finally {
    for (const training of trainings) training.dispose()
  }
}

const weak = (training: Training, minAccuracy: number): Rejection | null => {
  const accuracy = training.accuracy ?? 0
  // Of no steps, no quality can be asked.
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

const divergence = ({ architecture }: Training, step: number): Rejection => ({
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
  training: Training,
  data: DataSet,
  report: Report,
): Rejection | null => {
  const limits = task.rejection!.stability
  if (limits.steps === 0) return null
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
  training.gradientNorm = gradientNorm
  if (failedAt === null) return null
  const reason =
    gradientNorm === null ? 'the gradient norm was not finite' : 'the gradient norm passed the limit'
  return {
    stage: 'stability',
    reason: `${reason} when the weights were moved to raise it`,
    measured: gradientNorm,
    limit: limits.maxGradientNorm,
    architecture: architecture.name,
    step: failedAt,
  }
}
