/** One verification run: a layer with one seed, trained on each network in turn, each from its own checkpoint on. */
import fs from 'node:fs'
import path from 'node:path'
import { mean } from '../../../../shared/pareto.ts'
import type {
  Measures,
  TransferPoint,
  TransferProgress,
  TransferResult,
  TransferRun,
  VerificationConfig,
} from '../../../../shared/transfer.ts'
import { ACCURACY } from '../../../../shared/transfer/verification.ts'
import type { Evaluation, EvaluationTask } from '../../../../shared/records.ts'
import { loadData } from '../../data/index.ts'
import { environmentally } from '../../environment.ts'
import { evaluate } from '../../evaluate.ts'

type Run = TransferRun & { readonly config: VerificationConfig }

/** The training of one of its networks, as a search scores it, but without rejection. */
export const trainingOf = ({ graph, seed, config, folder }: Run, number: number): EvaluationTask => {
  const architecture = config.architectures[number]!
  return {
    purpose: 'score',
    graph,
    seed,
    data: config.data,
    architectures: [architecture],
    training: config.training,
    rejection: null,
    keep: { file: path.join(folder, `${architecture.name}.bin`), every: config.checkpointEvery },
  }
}

export const runVerification = async (
  run: Run,
  report: (progress: TransferProgress) => void,
): Promise<TransferResult> => {
  const { config, folder } = run
  const { steps } = config.training
  const networks = config.architectures.length
  fs.mkdirSync(folder, { recursive: true })
  const data = await environmentally(loadData(config.data))
  const evaluations: Evaluation[] = []
  let seconds = 0
  for (const [number, { name }] of config.architectures.entries()) {
    const trained = await evaluate(trainingOf(run, number), ({ step }) =>
      // A run's steps are those of its networks on average.
      report({ step: Math.floor((number * steps + step) / networks), steps, point: null, picture: null }),
    )
    seconds += trained.seconds
    evaluations.push(...trained.evaluations)
    if (trained.rejection) {
      const step = trained.rejection.step ?? 0
      const reason = `${name}: ${trained.rejection.reason} at step ${step}.`
      return { ...outcomeOf(evaluations, seconds), outcome: 'diverged', step, reason, data: data.report }
    }
  }
  return {
    ...outcomeOf(evaluations, seconds),
    outcome: 'finished',
    step: steps,
    reason: null,
    data: data.report,
  }
}

const outcomeOf = (
  evaluations: readonly Evaluation[],
  seconds: number,
): Pick<TransferResult, 'measures' | 'curve' | 'parameters' | 'seconds'> => ({
  measures: measuresOf(evaluations.map(({ architecture, accuracy }) => [architecture.name, accuracy])),
  curve: curveOf(evaluations),
  parameters: evaluations.reduce((sum, { parameters }) => sum + parameters, 0),
  seconds,
})

/** The accuracy of each network that has one, and their mean where all do. */
const measuresOf = (accuracies: readonly (readonly [name: string, accuracy: number | null])[]): Measures => {
  const told = accuracies.flatMap(([name, accuracy]) =>
    accuracy === null ? [] : [[name, accuracy] as const],
  )
  const whole = told.length > 0 && told.length === accuracies.length
  return {
    ...(whole ? { [ACCURACY]: mean(told.map(([, accuracy]) => accuracy)) } : {}),
    ...Object.fromEntries(told),
  }
}

/** The networks' curves as one: at each step what they came to there. */
const curveOf = (evaluations: readonly Evaluation[]): TransferPoint[] => {
  const steps = new Set(evaluations.flatMap(({ curve }) => curve.map(({ step }) => step)))
  return [...steps]
    .sort((a, b) => a - b)
    .map((step) => {
      const here = evaluations.flatMap(({ architecture, curve }) => {
        const point = curve.find((each) => each.step === step)
        return point ? [{ name: architecture.name, ...point }] : []
      })
      const losses = here.flatMap(({ name, loss }) => (loss === null ? [] : [[name, loss] as const]))
      const measured = here.filter(({ accuracy }) => accuracy !== null)
      return {
        step,
        losses: Object.fromEntries(losses),
        measures:
          measured.length > 0
            ? measuresOf(
                evaluations.map(({ architecture: { name } }) => [
                  name,
                  measured.find((each) => each.name === name)?.accuracy ?? null,
                ]),
              )
            : null,
      }
    })
}
