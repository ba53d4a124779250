/**
 * An evaluator for tests of the pool, the search and the hosts: what it answers is drawn from the layer's fingerprint
 * and the task's seed instead of being trained, so that it is quick and repeats, with every field that the engine
 * fills. Set by the environment:
 *
 * - NORMFORGE_STANDIN_MS: milliseconds an evaluation or a run of a transfer takes (5).
 * - NORMFORGE_STANDIN_LOG: a file that gets a line "<fingerprint> <purpose> <pid>" for each evaluation that ended, and
 *   "<fingerprint> <seed> from|to <step> <pid>" where a transfer's run began or went on, and where it ended.
 * - NORMFORGE_STANDIN_DATA: "read" checks folders of the user's as the engine does, instead of refusing them.
 * - NORMFORGE_STANDIN_FAULTS: JSON of what goes wrong, `{ "<when>": "<fault>" }`. When: a fingerprint (every time),
 *   "#3" (the third task of a process), "*" (every task), "start" (createEvaluator).
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DataReport } from '../../shared/data.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { createRandom } from '../../shared/random.ts'
import type {
  ArchitectureConfig,
  CurvePoint,
  DataConfig,
  Evaluation,
  EvaluationProgress,
  EvaluationResult,
  EvaluationTask,
  Rejection,
} from '../../shared/records.ts'
import { EnvironmentError, type Evaluator, type EvaluatorOptions } from '../../main/workers/protocol.ts'
import { transfer } from './stand-in-transfer.ts'

/** Path to give a pool as its evaluator. */
export const STAND_IN = import.meta.filename

/**
 * crash: killed as by the system; abort: a native crash; segv, ill: by the processor; exit: ends with code 3; hang: never gives the event loop back,
 * no heartbeat; endless: never answers, but beats; memory: holds 256 MB; throw; environment: an EnvironmentError.
 */
export type Fault =
  'crash' | 'abort' | 'segv' | 'ill' | 'exit' | 'hang' | 'endless' | 'memory' | 'throw' | 'environment'
export type Faults = Readonly<Record<string, Fault>>

const held: Uint8Array[] = []
const forever = (): Promise<never> => new Promise(() => setInterval(() => undefined, 1000))

/** As when native code is to blame, in the midst of an op. */
const dieBy = async (signal: NodeJS.Signals): Promise<void> => {
  await new Promise<void>((resolve) => process.stderr.write(traced ? STARTED : '', () => resolve()))
  process.kill(process.pid, signal)
  await forever()
}
/** What a traced process writes when an op starts. */
const STARTED = `executor.cc:879] Process node: 7 step 2 {{node n2}} = _MklNativeConv2D[T=DT_FLOAT, strides=[1, 2, 2, 1]](n1)\n`
let traced = false

const FAULTS: Readonly<Record<Fault, () => Promise<void>>> = {
  crash: async () => void process.kill(process.pid, 'SIGKILL'),
  abort: async () => process.abort(),
  segv: async () => dieBy('SIGSEGV'),
  ill: async () => dieBy('SIGILL'),
  exit: async () => process.exit(3),
  hang: async () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  endless: forever,
  memory: async () => {
    held.push(new Uint8Array(256 * 2 ** 20).fill(1))
    await forever()
  },
  throw: async () => {
    throw new Error('stand-in: was told to throw')
  },
  environment: async () => {
    throw new EnvironmentError('stand-in: the data were taken away')
  },
}

const fail = async (...occasions: string[]): Promise<void> => {
  const faults = JSON.parse(process.env['NORMFORGE_STANDIN_FAULTS'] || '{}') as Faults
  const fault = occasions.map((occasion) => faults[occasion]).find(Boolean)
  if (fault) await FAULTS[fault]()
}

/** The answer to a task: fixed by the layer, the seed, the purpose and the architectures. */
export const answer = (task: EvaluationTask): EvaluationResult => {
  const { purpose, seed, architectures } = task
  const print = fingerprint(task.graph)
  const layer = createRandom('stand-in', print, seed)
  const fate = layer.next()
  const talent = 0.45 + 0.35 * layer.next()
  const rejection = rejectionOf(task, fate, talent)
  const reached = rejection ? architectures.slice(0, 1) : architectures
  const evaluations = reached.map((architecture) => {
    const chance = createRandom(
      'stand-in',
      print,
      seed,
      architecture.name,
      architecture.width,
      architecture.depth,
    )
    const final = Math.min(0.99, talent + 0.04 * chance.normal() + (purpose === 'rerank' ? 0.05 : 0))
    return training(task, architecture, rejection, final)
  })
  const scores = rejection ? null : evaluations.map(({ accuracy }) => accuracy!)
  return {
    scores,
    rejection,
    evaluations,
    seconds: evaluations.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}

const rejectionOf = (task: EvaluationTask, fate: number, talent: number): Rejection | null => {
  if (!task.rejection || fate > 0.35) return null
  const { quality, stability } = task.rejection
  const architecture = task.architectures[0]!.name
  if (fate > 0.1)
    return {
      stage: 'quality',
      reason: `validation accuracy too low after ${quality.steps} steps`,
      measured: quality.minAccuracy * talent,
      limit: quality.minAccuracy,
      architecture,
      step: quality.steps,
    }
  return {
    stage: 'stability',
    reason: 'the gradient norm passed the limit when the weights were moved to raise it',
    measured: stability.maxGradientNorm * (1 + talent),
    limit: stability.maxGradientNorm,
    architecture,
    step: 1 + Math.floor(stability.steps * fate),
  }
}

const POINTS = 8
const CHANCE = 0.1

const training = (
  { purpose, seed, training: { steps } }: EvaluationTask,
  architecture: ArchitectureConfig,
  rejection: Rejection | null,
  final: number,
): Evaluation => {
  const end = rejection?.stage === 'quality' ? rejection.step! : steps
  const curve = Array.from({ length: POINTS }, (_, i): CurvePoint => {
    const done = (i + 1) / POINTS
    const top = rejection?.stage === 'quality' ? rejection.measured! : final
    const accuracy = i === POINTS - 1 ? top : CHANCE + (top - CHANCE) * Math.sqrt(done)
    return {
      step: Math.round(end * done),
      loss: Math.log(10) * (1 - top * done),
      accuracy: i % 2 ? accuracy : null,
    }
  })
  return {
    architecture,
    purpose,
    seed,
    steps: end,
    parameters: Math.round(270_000 * architecture.width ** 2 * architecture.depth),
    curve,
    accuracy: rejection ? null : final,
    gradientNorm: rejection?.stage === 'quality' ? null : (rejection?.measured ?? 1000 * final),
    seconds: (0.002 * end * architecture.width) / 0.25,
  }
}

const milliseconds = (): number => Number(process.env['NORMFORGE_STANDIN_MS'] ?? 5)

const evaluate = async (
  task: EvaluationTask,
  report: (progress: EvaluationProgress) => void,
): Promise<EvaluationResult> => {
  const result = answer(task)
  for (const { architecture, curve } of result.evaluations) {
    await sleep(milliseconds() / result.evaluations.length)
    const { step, loss } = curve.at(-1)!
    report({ stage: 'train', architecture: architecture.name, step, steps: task.training.steps, loss })
  }
  const log = process.env['NORMFORGE_STANDIN_LOG']
  if (log) appendFileSync(log, `${fingerprint(task.graph)} ${task.purpose} ${process.pid}\n`)
  return result
}

/** Whether folders are read in earnest, as the engine does. */
const reads = (): boolean => process.env['NORMFORGE_STANDIN_DATA'] === 'read'

const asUsers = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw new EnvironmentError((error as Error).message)
  })

/** A folder of the user's can't be used; the other data sets are as asked for. */
const check = async (data: DataConfig): Promise<DataReport> => {
  if (reads()) return asUsers((await import('../../main/engine/data/index.ts')).checkData(data))
  if (data.kind === 'folder') throw new EnvironmentError(`stand-in: no images in ${data.path}`)
  return reportOf(data)
}

const reportOf = (data: { trainingImages: number; validationImages: number }): DataReport => ({
  classes: Array.from({ length: 10 }, (_, i) => ({ name: `class ${i}`, count: 100 })),
  unit: 'images',
  trainingImages: data.trainingImages || 50_000,
  validationImages: data.validationImages,
  rule: 'made up by the stand-in',
  splits: [],
  question: null,
  notes: [],
})

export const createEvaluator = async ({ threads, ...told }: EvaluatorOptions): Promise<Evaluator> => {
  traced = told.traceOps === true
  await fail('start')
  let count = 0
  return {
    facts: {
      evaluator: 'stand-in',
      threads: String(threads),
      ...(Object.keys(told).length > 0 ? { told: JSON.stringify(told) } : {}),
    },
    // Two threads do less than two workers.
    measure: async () => {
      await sleep(milliseconds())
      return 100 * Math.sqrt(threads)
    },
    evaluate: async (task, report) => {
      count += 1
      await fail(fingerprint(task.graph), `#${count}`, '*')
      return evaluate(task, report)
    },
    transfer: async (run, report) => {
      count += 1
      await fail(fingerprint(run.graph), `#${count}`, '*')
      return transfer(run, report, milliseconds(), process.env['NORMFORGE_STANDIN_LOG'])
    },
    check,
    checkTransfer: async ({ config: { data } }) => {
      const { kind, path } = data
      if (reads() && kind === 'coco') {
        const { openCoco } = await import('../../main/engine/data/cocoFolder.ts')
        return (await asUsers(openCoco({ ...data, path: path! }))).report
      }
      if (kind === 'folder' || kind === 'coco') throw new EnvironmentError(`stand-in: no images in ${path}`)
      return reportOf(data)
    },
  }
}
