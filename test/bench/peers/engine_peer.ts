/**
 * The engine in a process of its own, answering one JSON request a line as torch_peer.py does. With `eager` it is
 * TensorFlow.js as it comes: op by op, gradients by its tape.
 */
import fs from 'node:fs'
import readline from 'node:readline'
import { evaluate } from '../../../main/engine/evaluate.ts'
import { loadRuntime } from '../../../main/engine/runtime.ts'
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

const make = ({ case: given, eager }: Extract<Request, { do: 'make' }>): { seconds: number } => {
  trainer?.dispose()
  resetPeak()
  const { batch, groups, imageSize } = given
  images = Float32Array.from({ length: batch * imageSize ** 2 * 3 }, () => 2 * Math.random() - 1)
  labels = Int32Array.from({ length: batch }, (_, i) => i % 10)
  const started = performance.now()
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
  return { seconds: (performance.now() - started) / 1000 }
}

const answer = async (request: Request): Promise<object> => {
  if (request.do === 'evaluate') {
    const started = performance.now()
    await evaluate(request.task, () => undefined)
    return { seconds: (performance.now() - started) / 1000 }
  }
  if (request.do === 'make') return make(request)
  const ms = Array.from({ length: request.count }, () => {
    const started = performance.now()
    trainer!.step(images, labels, 0.01)
    return performance.now() - started
  })
  return { ms, peak: resident('VmHWM') - base }
}

loadRuntime({ threads: Number(process.argv[2] ?? 1) })
base = resident('VmRSS')
for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`)
