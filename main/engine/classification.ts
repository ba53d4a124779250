/**
 * One architecture's training on images of classes: a session over a trainer. It is trained up to any step, kept in a file,
 * and taken up again from there, also by another process.
 */
import type {
  ArchitectureConfig,
  CurvePoint,
  Evaluation,
  EvaluationProgress,
  EvaluationTask,
} from '../../shared/records.ts'
import { tensorsOf, writeTensors } from './checkpoint.ts'
import { trainingBatches, validationBatches } from './data/batches.ts'
import type { DataSet } from './data/dataset.ts'
import { environment } from './environment.ts'
import { identityOf, markOf, readTraining } from './kept.ts'
import { cosineRate } from './optimizer.ts'
import { Session } from './session.ts'
import { countCorrect, createTrainer, type Trainer } from './training.ts'
import { compiledWherePaying } from './xla.ts'

/** Steps whose losses are averaged into one point of the curve. */
const LOSS_EVERY = 10
/** Validation accuracies taken along a training, the last step's included. */
const ACCURACIES = 4
const EVALUATION_BATCH = 100

export const CLASSIFICATION_LOSSES = ['loss'] as const

export type ClassificationOptions = {
  /** What decides every number of the training: its layer, seed, data and budget. */
  readonly task: EvaluationTask
  readonly architecture: ArchitectureConfig
  readonly data: DataSet
  /** The file that the training is kept in, every so many steps, and from which it goes on where there is one. */
  readonly keep: Exclude<EvaluationTask['keep'], undefined> | null
  readonly report: (progress: EvaluationProgress) => void
}

export type Classification = {
  readonly architecture: ArchitectureConfig
  readonly step: number
  /** The last one measured; null before, and where the loss was not finite. */
  readonly accuracy: number | null
  /** Seconds of training done by earlier processes, before this one took it up. */
  readonly before: number
  /**
   * Trains up to step `until`, at most the task's; the accuracy is measured there, and the training kept. Gives the step at
   * which the loss was no longer finite, or null.
   */
  train(until: number, stage: 'quality' | 'train'): Promise<number | null>
  /** What came of it so far. */
  record(): Omit<Evaluation, 'gradientNorm'>
  dispose(): void
}

export const createClassification = ({
  task,
  architecture,
  data,
  keep,
  report,
}: ClassificationOptions): Classification => {
  const started = performance.now()
  const { graph, seed, purpose, training } = task
  const { steps, learningRate, warmupSteps } = training
  const kept = keep ? environment(() => readTraining(keep.file, task, architecture)) : null
  const evaluationBatch = Math.min(EVALUATION_BATCH, data.validation.count)
  const batches = trainingBatches(data, training.batchSize, seed, training.augment, kept?.step ?? 0)
  const trainer = compiledWherePaying(architecture, steps, () =>
    createTrainer({
      architecture,
      graph,
      training,
      seed,
      classes: data.classes.length,
      imageSize: data.imageSize,
      evaluationBatch,
      ...(kept ? { state: tensorsOf(kept) } : {}),
    }),
  )
  let stage: 'quality' | 'train' = 'train'
  let accuracy = kept?.state.accuracy ?? null
  const session = new Session<'loss', CurvePoint, number>(
    {
      steps,
      losses: CLASSIFICATION_LOSSES,
      measureEvery: Math.ceil(steps / ACCURACIES),
      checkpointEvery: keep?.every ?? steps,
      pointDue: (_, summed) => summed === LOSS_EVERY,
      step: (index) => {
        const { images, labels } = batches.next().value
        const loss = trainer.step(images, labels, cosineRate(learningRate, index, steps, warmupSteps))
        return { loss }
      },
      diverged: (_loss, _value, step) => {
        accuracy = null
        return step
      },
      point: async ({ step, losses: { loss = null }, measured }) => {
        if (measured) accuracy = validate(trainer, data, evaluationBatch)
        report({ stage, architecture: architecture.name, step, steps, loss })
        return { point: { step, loss, accuracy: measured ? accuracy : null }, ending: null }
      },
      save:
        keep &&
        ((step, progress) => {
          const named = trainer.state()
          const names = [...named.keys()]
          const of = identityOf(task, architecture)
          const state = { layer: markOf(graph), of, names, accuracy, ...progress }
          writeTensors(keep.file, { step, state, tensors: [...named.values()] })
        }),
    },
    kept,
    started,
  )
  session.pause()
  return {
    architecture,
    get step() {
      return session.step
    },
    get accuracy() {
      return accuracy
    },
    before: kept?.state.seconds ?? 0,
    train: async (until, of) => {
      stage = of
      const diverged = await session.train(Math.min(until, steps))
      // Other architectures are trained in between.
      session.pause()
      return diverged
    },
    record: () => ({
      architecture,
      purpose,
      seed,
      steps: session.step,
      parameters: trainer.parameters,
      curve: session.curve,
      accuracy: session.step === steps ? accuracy : null,
      seconds: session.seconds,
    }),
    dispose: () => trainer.dispose(),
  }
}

/** The fraction of validation images whose class is told right. */
const validate = (trainer: Trainer, data: DataSet, evaluationBatch: number): number => {
  let correct = 0
  for (const { images, labels } of validationBatches(data, evaluationBatch))
    correct += countCorrect(trainer.predict(images), labels)
  return correct / data.validation.count
}
