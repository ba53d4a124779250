/**
 * The engine in a process of its own, answering one JSON request a line as torch_peer.py does. With `eager` it is
 * TensorFlow.js as it comes: op by op, gradients by its tape.
 */
import fs from 'node:fs'
import readline from 'node:readline'
import { evaluate } from '../../../main/engine/evaluate.ts'
import { loadRuntime, type RuntimeOptions } from '../../../main/engine/runtime.ts'
import { createTrainer, type Trainer } from '../../../main/engine/training.ts'
import type { Request } from '../peer.ts'

const resident = (key: 'VmRSS' | 'VmHWM'): number => {
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'utf8') : ''
  return 1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN)
}
const resetPeak = (): void => {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Not to be had everywhere: the peak is then that of the whole process.
  }
}

let trainer: Trainer | undefined
let base = 0
let images = new Float32Array()
let labels = new Int32Array()

/** Milliseconds by the wall's clock, or of this process's own processor time. */
const clockOf = ({ clock }: Request): (() => number) => {
  if (clock !== 'cpu') return () => performance.now()
  return () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

const make = (
  { case: given, eager }: Extract<Request, { do: 'make' }>,
  now: () => number,
): { seconds: number } => {
  trainer?.dispose()
  resetPeak()
  const { batch, groups, imageSize } = given
  images = Float32Array.from({ length: batch * imageSize ** 2 * 3 }, () => 2 * Math.random() - 1)
  labels = Int32Array.from({ length: batch }, (_, i) => i % 10)
  const started = now()
  trainer = createTrainer({
    architecture: given.config,
    graph: given.graph,
    training: { ...given.training, batchSize: batch, groups },
    imageSize,
    classes: 10,
    seed: 1,
    evaluationBatch: 100,
    eager: eager ?? false,
  })
  trainer.step(images, labels, 0.01)
  return { seconds: (now() - started) / 1000 }
}

const answer = async (request: Request): Promise<object> => {
  const now = clockOf(request)
  const started = now()
  if (request.do === 'make') return make(request, now)
  if (request.do === 'evaluate') {
    await evaluate(request.task, () => undefined)
    return { seconds: (now() - started) / 1000 }
  }
  const ms = Array.from({ length: request.count }, () => {
    const begun = now()
    trainer!.step(images, labels, 0.01)
    return now() - begun
  })
  return { ms, peak: resident('VmHWM') - base }
}

loadRuntime(JSON.parse(process.argv[2] ?? '{}') as RuntimeOptions)
base = resident('VmRSS')
for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`)
