import { createTrainer } from '../../../main/engine/training.ts'
import { testStability } from '../../../main/engine/stability.ts'
import { PRESETS } from '../../../shared/catalog.ts'
import { knownLayer } from '../../../shared/known.ts'
import type { ArchitectureConfig } from '../../../shared/records.ts'
import type { HeapCase } from './cases.ts'

const LAYERS = ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'] as const
const CLASSES = 10
/** Images of a training step, of a prediction, and of a step of the stability test. */
const [TRAINED, PREDICTED, PUSHED] = [1, 3, 2]

/** Networks of the presets. `paper` is as wide as `overnight`, only deeper: the same ops more often. */
const configs = (short: boolean): readonly ArchitectureConfig[] =>
  (short ? (['demo'] as const) : (['demo', 'overnight'] as const)).flatMap(
    (preset) => PRESETS[preset].config.architectures,
  )

/** Each network on images of each side, the layers taking turns. */
export const networkCases = (sides: readonly number[], short: boolean): HeapCase[] =>
  configs(short).flatMap((architecture, i) =>
    sides.flatMap((side, j) =>
      [true, false].map((eager) => networkCase(architecture, side, LAYERS[(i + j) % LAYERS.length]!, eager)),
    ),
  )

const images = (count: number, side: number): Float32Array =>
  new Float32Array(count * side * side * 3).map((_, i) => Math.sin(i))
const labels = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % CLASSES)

const networkCase = (
  architecture: ArchitectureConfig,
  imageSize: number,
  layer: string,
  eager: boolean,
): HeapCase => {
  const { name, width } = architecture
  const run = (): void => {
    const { training, rejection } = PRESETS.demo.config
    const common = {
      architecture,
      graph: knownLayer(layer).graph,
      imageSize,
      classes: CLASSES,
      seed: 1,
      eager,
    }
    const trainer = createTrainer({
      ...common,
      training: { ...training, batchSize: TRAINED },
      evaluationBatch: PREDICTED,
    })
    trainer.step(images(TRAINED, imageSize), labels(TRAINED), 0.01)
    trainer.predict(images(PREDICTED, imageSize))
    trainer.dispose()
    testStability(
      {
        ...common,
        groups: training.groups,
        limits: { ...rejection.stability, steps: 1, batchSize: PUSHED },
      },
      { images: images(PUSHED, imageSize), labels: labels(PUSHED) },
    )
  }
  return { name: `${name} × ${width} with ${layer}, side ${imageSize}, ${eager ? 'eager' : 'recorded'}`, run }
}
