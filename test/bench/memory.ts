/**
 * `npm run bench -- memory`: memory of one worker over many candidates, each a new layer, trained for a few steps.
 *
 *   --candidates N    how many (default 300)
 */
import { parseArgs } from 'node:util'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { mutate, padToTen } from '../../main/search/mutate.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'

const STEPS = 3

export const benchMemory = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { candidates: { type: 'string', default: '300' } },
  })
  const count = Number(values.candidates)
  const { tf } = loadRuntime({ threads: 1 })
  const { architectures, training, data } = PRESETS.demo.config
  const random = createRandom('bench', 'memory')
  const images = new Float32Array(training.batchSize * data.imageSize ** 2 * 3).map(() => random.normal())
  const labels = Int32Array.from({ length: training.batchSize }, (_, i) => i % 10)
  const resident = (): number => process.memoryUsage().rss / 2 ** 20
  let settled = 0
  for (let i = 1; i <= count; i++) {
    const trainer = createTrainer({
      architecture: architectures[i % architectures.length]!,
      graph: mutate(padToTen(knownLayer('EvoNorm-B0').graph, 'B', random), 'B', random).graph,
      training,
      imageSize: data.imageSize,
      classes: 10,
      seed: i,
      evaluationBatch: 100,
    })
    for (let step = 0; step < STEPS; step++) trainer.step(images, labels, 0.01)
    trainer.dispose()
    if (i === Math.ceil(count / 5)) settled = resident()
    if (i % Math.ceil(count / 10) === 0)
      console.log(`${i} candidates: ${resident().toFixed(0)} MiB resident, ${tf.memory().numTensors} tensors`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const growth = resident() / settled - 1
  console.log(
    `from a fifth on ${(100 * growth).toFixed(1)} % more; needed ≤ 10 %: ${growth <= 0.1 ? 'reached' : 'MISSED'}`,
  )
}
