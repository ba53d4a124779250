/**
 * The stand-in's transfer: figures that are drawn from the layer's fingerprint, the task and the seed, step by step, so
 * that a run that goes on from a checkpoint must take up its state to end at the same ones.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32, deflateSync } from 'node:zlib'
import { fingerprint } from '../../shared/canonical.ts'
import { createRandom } from '../../shared/random.ts'
import {
  TRANSFER_TASKS,
  type Measures,
  type TransferPoint,
  type TransferProgress,
  type TransferResult,
  type TransferRun,
} from '../../shared/transfer.ts'

/** All of a run's state: what went into its figures so far. */
type State = { step: number; level: number; lossSum: number; lossCount: number; curve: TransferPoint[] }

const begin = (): State => ({ step: 0, level: 0, lossSum: 0, lossCount: 0, curve: [] })

const measuresOf = ({ config }: TransferRun, level: number): Measures =>
  Object.fromEntries(
    Object.entries(TRANSFER_TASKS[config.task].measures).flatMap(([name, { unit, better, real }], i) => {
      const value = (good: number): number =>
        unit === 'fraction' ? good : better === 'higher' ? 1 + 9 * good : 100 * (1 - good)
      return [[name, value(level / (1 + 0.1 * i))], ...(real ? [[real.name, value(0.95)]] : [])]
    }),
  )

const isPoint = ({ config }: TransferRun, step: number): boolean => {
  const { steps } = config.training
  const every = config.task === 'verification' ? Math.ceil(steps / 4) : config.evaluateEvery
  return step % every === 0 || step === steps
}

/** One step: the level rises towards the layer's talent, by chance that depends on the step. */
const advance = (run: TransferRun, state: State): TransferPoint | null => {
  const { graph, config, seed } = run
  const print = fingerprint(graph)
  const talent = 0.4 + 0.5 * createRandom('stand-in', print, config.task).next()
  const chance = createRandom('stand-in', print, config.task, seed, state.step).next()
  state.step += 1
  state.level += ((talent - state.level) * (0.5 + chance)) / (0.2 * config.training.steps)
  state.lossSum += 2 - state.level + 0.1 * chance
  state.lossCount += 1
  if (!isPoint(run, state.step)) return null
  const loss = state.lossSum / state.lossCount
  state.lossSum = state.lossCount = 0
  const losses = Object.fromEntries(
    Object.keys(TRANSFER_TASKS[config.task].losses).map((name) => [name, loss]),
  )
  const point = { step: state.step, losses, measures: measuresOf(run, state.level) }
  state.curve.push(point)
  return point
}

const resultOf = ({ step, curve }: State): TransferResult => ({
  outcome: 'finished',
  step,
  reason: null,
  measures: curve.at(-1)!.measures!,
  curve,
  parameters: 123_456,
  seconds: 0.01 * step,
})

/** What a run comes to, undisturbed. */
export const transferAnswer = (run: Omit<TransferRun, 'folder'>): TransferResult => {
  const whole = { ...run, folder: '' }
  const state = begin()
  while (state.step < run.config.training.steps) advance(whole, state)
  return resultOf(state)
}

/** Trains in a few rests of `milliseconds` in all; each is a chance to be killed. */
export const transfer = async (
  run: TransferRun,
  report: (progress: TransferProgress) => void,
  milliseconds: number,
  log: string | undefined,
): Promise<TransferResult> => {
  const { folder, config, seed } = run
  const { steps } = config.training
  const file = join(folder, 'checkpoint.bin')
  const state = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : begin()
  const tell = (what: string): void => {
    const line = `${fingerprint(run.graph)} ${seed} ${what} ${state.step} ${process.pid}\n`
    if (log) appendFileSync(log, line)
  }
  tell('from')
  while (state.step < steps) {
    const point = advance(run, state)
    let picture: string | null = null
    if (point) {
      picture = `${config.task === 'synthesis' ? 'sample' : 'overlay'}-${state.step}.png`
      put(join(folder, picture), png(fingerprint(run.graph), state.level))
    }
    if (state.step % config.checkpointEvery === 0) {
      put(file, Buffer.from(JSON.stringify(state)))
      await sleep((milliseconds * config.checkpointEvery) / steps)
    }
    if (point || state.step % config.checkpointEvery === 0)
      report({ step: state.step, steps, point, picture })
  }
  tell('to')
  return resultOf(state)
}

const put = (file: string, bytes: Buffer): void => {
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, bytes)
  renameSync(temporary, file)
}

const SIDE = 16

/** A picture in the layer's colour, the brighter the further it has come. */
const png = (print: string, level: number): Buffer => {
  const colour = Buffer.from(print.slice(0, 6), 'hex').map((byte) => Math.round(byte * level))
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: SIDE }, () => colour)])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header.set([8, 2], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: SIDE }, () => row)))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const chunk = (name: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
