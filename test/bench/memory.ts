/**
 * `npm run bench -- memory`: memory of one worker over many candidates, each a new layer in one of the demo's networks in
 * turn, trained for a few steps and validated. A candidate takes a quarter of a second of one core, 2,000 some ten minutes.
 *
 *   --candidates N    how many (default 300; more than the 100 after which growth is counted)
 */
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { loadRuntime } from '../../main/engine/runtime.ts'
import { createTrainer } from '../../main/engine/training.ts'
import { mutate, padToTen } from '../../main/search/mutate.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'

const STEPS = 3
/**
 * From here on growth counts. Before, resident memory rises to its high-water mark: the allocator keeps what is freed (as
 * the engine's kernels set it), and JavaScript's heap grows until its collections keep up. With the demo's networks that
 * takes 80 candidates: 311 MiB after 20, 411 after 80, 413 to 423 for the next two hundred.
 */
const SETTLED = 100
/** Candidates whose highest figure is taken, before that one and at the end. */
const STRETCH = 20

/**
 * What this process has allocated itself, in MiB: of its resident memory the pages that are no file's, since those of
 * TensorFlow's libraries come and go as the system likes. All of it where the system doesn't tell.
 */
const heldMiB = (): number => {
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'utf8') : ''
  const anonymous = /RssAnon:\s+(\d+)/.exec(status)?.[1]
  return anonymous === undefined ? process.memoryUsage().rss / 2 ** 20 : Number(anonymous) / 1024
}

export const benchMemory = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { candidates: { type: 'string', default: '300' } },
  })
  const count = Number(values.candidates)
  if (!(count > SETTLED))
    throw new Error(`bench memory: needs more than ${SETTLED} candidates, got ${values.candidates}`)
  const { tf } = loadRuntime({ threads: 1 })
  const { architectures, training, data } = PRESETS.demo.config
  const random = createRandom('bench', 'memory')
  const images = new Float32Array(training.batchSize * data.imageSize ** 2 * 3).map(() => random.normal())
  const labels = Int32Array.from({ length: training.batchSize }, (_, i) => i % 10)
  /** The most of each stretch of candidates: between collections of JavaScript's heap memory goes up and down. */
  const most = { before: 0, late: 0 }
  const every = Math.max(20, Math.ceil(count / 20))
  const started = process.cpuUsage()
  for (let i = 1; i <= count; i++) {
    const trainer = createTrainer({
      architecture: architectures[i % architectures.length]!,
      graph: mutate(padToTen(knownLayer('EvoNorm-B0').graph, 'B', random), 'B', random).graph,
      training,
      imageSize: data.imageSize,
      classes: 10,
      seed: i,
      evaluationBatch: training.batchSize,
    })
    for (let step = 0; step < STEPS; step++) trainer.step(images, labels, 0.01)
    trainer.predict(images)
    trainer.dispose()
    const held = heldMiB()
    if (i > SETTLED - STRETCH && i <= SETTLED) most.before = Math.max(most.before, held)
    if (i > count - STRETCH) most.late = Math.max(most.late, held)
    if (i % every === 0 || i === SETTLED || i === count)
      console.log(`${i} candidates: ${held.toFixed(0)} MiB, ${tf.memory().numTensors} tensors`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const growth = most.late / most.before - 1
  const { user, system } = process.cpuUsage(started)
  const kib = (1024 * (most.late - most.before)) / (count - SETTLED)
  console.log(
    `from candidate ${SETTLED} on ${(100 * growth).toFixed(1)} % more (${kib.toFixed(1)} KiB a candidate); needed ≤ 10 %: ` +
      `${growth <= 0.1 ? 'reached' : 'MISSED'}; ${((user + system) / 1e6 / count).toFixed(2)} s of one core a candidate`,
  )
}
