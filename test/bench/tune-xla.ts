import { accelerating } from '../../main/engine/jit/accelerate.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { pays, readXla, xlaFile, type XlaRow } from '../../main/engine/xla.ts'
import { writeMeasured } from '../../main/setup/machine.mjs'
import { PRESETS } from '../../shared/catalog.ts'
import type { ArchitectureConfig, PresetName } from '../../shared/records.ts'
import { graphOf } from './cases.ts'
import { median } from './statistics.ts'

const LAYER = 'EvoNorm-B0'
const STEPS = 10

type Way = XlaRow['plain']

/** A network's first step, from the layer graph on, and its steps thereafter. */
const timed = (
  architecture: ArchitectureConfig,
  preset: PresetName,
  xla: boolean,
  now: () => number,
): Way => {
  const { training, data } = PRESETS[preset].config
  const images = new Float32Array(training.batchSize * data.imageSize ** 2 * 3).map((_, i) => Math.sin(i))
  const labels = Int32Array.from({ length: training.batchSize }, (_, i) => i % 10)
  return accelerating({ xla }, () => {
    const started = now()
    const trainer = createTrainer({
      architecture,
      graph: graphOf(LAYER),
      training,
      imageSize: data.imageSize,
      classes: 10,
      seed: 1,
      evaluationBatch: training.batchSize,
    })
    trainer.step(images, labels, 0.01)
    const firstSeconds = (now() - started) / 1000
    const ms = Array.from({ length: STEPS }, () => {
      const begun = now()
      trainer.step(images, labels, 0.01)
      return now() - begun
    })
    trainer.dispose()
    return { firstSeconds, stepMs: median(ms) }
  })
}

/** Measures for a preset's networks whether XLA pays, and keeps it for this machine. */
export const tuneXla = (preset: PresetName, now: () => number): void => {
  const { architectures, training } = PRESETS[preset].config
  const rows = architectures.map((config): XlaRow => {
    const [plain, xla] = [false, true].map((on) => timed(config, preset, on, now)) as [Way, Way]
    const row = { ...config, plain, xla }
    const verdict = pays([row], config, training.steps) ? 'pays' : 'does not pay'
    const text = ({ firstSeconds, stepMs }: Way): string =>
      `${stepMs.toFixed(1)} ms (first ${firstSeconds.toFixed(1)} s)`
    console.log(
      `${preset}, ${config.name}: ${text(plain)}, by XLA ${text(xla)}: ${verdict} in a training of ${training.steps} steps`,
    )
    return row
  })
  const isNew = ({ name, width, depth }: XlaRow): boolean =>
    rows.some((row) => row.name === name && row.width === width && row.depth === depth)
  writeMeasured(xlaFile(), [...readXla().filter((row) => !isNew(row)), ...rows])
}
