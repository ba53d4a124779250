/** One run of a transfer task: a training session whose checkpoints and pictures lie in the run's folder. */
import type { DataReport } from '../../../shared/data.ts'
import type {
  Comparable,
  Measures,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
} from '../../../shared/transfer.ts'
import { keepNewest, writeCheckpoint, type Checkpoint } from '../checkpoint.ts'
import { Session, type Progress, type SessionParts } from '../session.ts'

/** Points of a curve, about. */
const POINTS = 100

/** Why a run is over before its last step. */
export type Ending = { readonly outcome: 'diverged' | 'collapsed'; readonly reason: string }

/** The ending of a run whose loss is not finite. `name` says whose. */
export const divergence = (name: string, loss: number, step: number): Ending => ({
  outcome: 'diverged',
  reason: `The ${name} loss was ${loss} at step ${step}.`,
})

/** What a measurement finds; `measures` and `picture` are null where the network gives nothing to measure. */
export type Measured = {
  readonly measures: Measures | null
  /** Name of the picture that was written. */
  readonly picture: string | null
}

/** What a task has of its own: its losses, its step, its measurements. */
export type RunParts<Loss extends string, Own> = Pick<
  SessionParts<Loss, TransferPoint, Ending>,
  'losses' | 'step' | 'examine' | 'measuresUntrained'
> & {
  readonly run: TransferRun & {
    readonly config: Pick<Comparable, 'training' | 'evaluateEvery' | 'checkpointEvery'>
  }
  /** What it trains and is measured on. */
  readonly data: DataReport
  readonly parameters: number
  readonly report: (progress: TransferProgress) => void
  readonly measure: (step: number) => Promise<Measured>
  /** Whether a measurement ends the run: the measured points so far, this one the last, or null where it has none. */
  readonly judge: (step: number, points: readonly TransferPoint[] | null) => Ending | null
  /** What a checkpoint keeps: tensors, and what belongs beside the session's progress. */
  readonly state: () => { readonly own: Own; readonly tensors: readonly Float32Array[] }
  /** What is made of the trained network. */
  readonly finish?: () => Promise<void>
}

/** Trains a run to its end, from a checkpoint on where there is one. The clock runs from `started`. */
export const trainRun = async <Loss extends string, Own extends object>(
  parts: RunParts<Loss, Own>,
  checkpoint: Checkpoint<Progress<Loss, TransferPoint>> | null,
  started: number,
): Promise<TransferResult> => {
  const { run, measure, judge, report } = parts
  const { training, evaluateEvery, checkpointEvery } = run.config
  const { steps } = training
  const pointEvery = Math.max(1, Math.floor(steps / POINTS))
  const session = new Session<Loss, TransferPoint, Ending>(
    {
      ...parts,
      steps,
      measureEvery: evaluateEvery,
      checkpointEvery,
      pointDue: (step) => step % pointEvery === 0,
      diverged: divergence,
      point: async ({ step, losses, measured, curve }) => {
        const { measures, picture } = measured ? await measure(step) : { measures: null, picture: null }
        if (measured && !measures) return { point: null, ending: judge(step, null) }
        const point: TransferPoint = { step, losses, measures }
        report({ step, steps, point, picture })
        const points = [...curve, point].filter(({ measures }) => measures !== null)
        return { point, ending: measured ? judge(step, points) : null }
      },
      save: (step, progress) => {
        const { own, tensors } = parts.state()
        writeCheckpoint(run.folder, { step, state: { ...own, ...progress }, tensors })
      },
    },
    checkpoint,
    started,
  )
  const ending = await session.train()
  if (!ending) await parts.finish?.()
  keepNewest(run.folder)
  return {
    outcome: ending?.outcome ?? 'finished',
    step: session.step,
    reason: ending?.reason ?? null,
    measures: session.curve.findLast(({ measures }) => measures)?.measures ?? {},
    curve: session.curve,
    parameters: parts.parameters,
    seconds: session.seconds,
    data: parts.data,
  }
}
