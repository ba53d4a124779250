/** The engine's BigGAN in a process of its own, answering one JSON request a line as synthesis.py does. */
import readline from 'node:readline'
import { loadRuntime } from '../../../main/engine/runtime.ts'
import { drawShapes } from '../../../main/engine/data/shapes/index.ts'
import { createBatches, drawWishes } from '../../../main/engine/tasks/synthesis/batches.ts'
import { createGan, type Gan } from '../../../main/engine/tasks/synthesis/gan.ts'
import { knownLayer } from '../../../shared/known.ts'
import type { SynthesisConfig } from '../../../shared/transfer.ts'
import type { SynthesisRequest } from '../synthesis.ts'

const CLASSES = 10

const createStep = (gan: Gan, { data, network, training }: SynthesisConfig): (() => void) => {
  const { batchSize, discriminatorSteps, ema } = training
  const set = drawShapes(batchSize, data.imageSize, 'bench')
  const batches = createBatches(set, batchSize, 1)
  const wishes = (...keys: number[]) => drawWishes(set, batchSize, network.latent, 'bench', ...keys)
  let step = 0
  return () => {
    step += 1
    for (let k = 0; k < discriminatorSteps; k++) gan.discriminate(batches(step), wishes(step, k), step)
    gan.generate(wishes(step), step)
    gan.average(ema)
  }
}

let gan: Gan | undefined
let step: (() => void) | undefined

const answer = (request: SynthesisRequest): object => {
  if (request.do === 'make') {
    gan?.dispose()
    const { config } = request
    const started = performance.now()
    gan = createGan({ graph: knownLayer(request.layer).graph, config, classes: CLASSES, seed: 1 })
    step = createStep(gan, config)
    step()
    return { seconds: (performance.now() - started) / 1000 }
  }
  const ms = Array.from({ length: request.count }, () => {
    const started = performance.now()
    step!()
    return performance.now() - started
  })
  return { ms }
}

loadRuntime({ threads: Number(process.argv[2] ?? 1) })
for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as SynthesisRequest))}\n`)
