import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { createTrainer, type Trainer } from './training.ts'

let trainer: Trainer | undefined

/**
 * Training steps a second of a small network (the demo's ResNet with EvoNorm-B0), timed for so many seconds. The first
 * call makes the network, and with 0 seconds does no more.
 */
export const measureSpeed = (seconds: number): number => {
  const { architectures, training, data } = PRESETS.demo.config
  const images = new Float32Array(training.batchSize * data.imageSize ** 2 * 3).map((_, i) => Math.sin(i))
  const labels = Int32Array.from({ length: training.batchSize }, (_, i) => i % 10)
  const step = (of: Trainer): number => of.step(images, labels, 0)
  if (!trainer) {
    trainer = createTrainer({
      architecture: architectures[0]!,
      graph: knownLayer('EvoNorm-B0').graph,
      training,
      imageSize: data.imageSize,
      classes: 10,
      seed: 1,
      evaluationBatch: training.batchSize,
    })
    for (let i = 0; i < 3; i++) step(trainer)
  }
  const started = performance.now()
  let steps = 0
  for (; performance.now() - started < 1000 * seconds; steps++) step(trainer)
  return seconds > 0 ? (1000 * steps) / (performance.now() - started) : 0
}
