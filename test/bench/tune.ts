/**
 * `npm run bench -- tune`: measures the lowerings of the depthwise convolutions' gradients for the shapes of the presets,
 * and writes this machine's table of the quickest ones (main/engine/depthwise/table.ts). Then measures anew how many workers
 * of how many threads are quickest, as the first search does.
 *
 *   --preset P        only the shapes of this preset (may be given again; default all); other rows of the table stay
 *   --rounds N        rounds of alternating measurements (default 5)
 *   --threads N       threads, as workers have them (default 1)
 *   --xla             also whether XLA pays for the presets' networks, as is always measured on a GPU
 *   --cpu             processor time instead of wall time: for a busy machine
 *   --write FILE      another file than this machine's table
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FILTER_LOWERINGS, INPUT_LOWERINGS, type Lowering } from '../../main/engine/depthwise/lowerings.ts'
import { loadTable, tableFile } from '../../main/engine/depthwise/register.ts'
import type { Choice, Shape, Table } from '../../main/engine/depthwise/table.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { createProgram } from '../../main/engine/jit/program.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { processor, writeMeasured } from '../../main/setup/machine.mjs'
import { describeSplit } from '../../main/setup/workers.mjs'
import { spawnNode } from '../../main/workers/process.ts'
import { measureSplits } from '../../main/workers/split.ts'
import { architectureOf } from '../../shared/architectures/index.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { PresetName } from '../../shared/records.ts'
import { median } from './statistics.ts'
import { tuneXla } from './tune-xla.ts'

const ENGINE = fileURLToPath(new URL('../../main/engine/evaluator.ts', import.meta.url))
/** A lowering takes TensorFlow's place where it is quicker by more than the noise. */
const WORTH = 0.97
/** A measurement takes so long at least, of work that is repeated. */
const LEAST_MS = 4

/** Depthwise convolutions of a preset's networks in a step, one entry each. */
export const depthwiseShapes = (preset: PresetName): Shape[] => {
  const { architectures, data, training } = PRESETS[preset].config
  return architectures.flatMap((config) => {
    const { stem, stages } = architectureOf(config)
    let [size, channels] = [data.imageSize, stem]
    return stages.flatMap((stage) =>
      Array.from({ length: stage.repeats }, (_, i) => {
        if (stage.block !== 'inverted') return []
        const { kernel, expansion } = stage
        const stride = i === 0 ? stage.stride : 1
        const shape = { batch: training.batchSize, size, channels: channels * expansion, kernel, stride }
        size = Math.ceil(size / stride)
        channels = stage.channels
        return [shape]
      }).flat(),
    )
  })
}

const keyOf = ({ batch, size, channels, kernel, stride }: Shape): string =>
  `${batch}×${size}×${size}×${channels}, ${kernel}×${kernel}/${stride}`

type Measured<Name extends string> = ReadonlyMap<Name, number>

const measure = <Name extends string>(
  lowerings: Readonly<Record<Name, Lowering>>,
  given: readonly [Tensor, Tensor],
  to: readonly number[],
  shape: Shape,
  rounds: number,
  now: () => number,
): Measured<Name> => {
  const names = (Object.keys(lowerings) as Name[]).filter((name) => lowerings[name].suits(shape))
  const specs = given.map((tensor) => ({ shape: tensor.shape, dtype: 'float32' }) as const)
  const programs = names.map((name) => {
    const step = (a: Tensor, b: Tensor): Tensor[] => [lowerings[name].run([a, b], to, shape)]
    return createProgram([], { step: { step: step as (...inputs: Tensor[]) => Tensor[], inputs: specs } })
  })
  const once = (i: number): void => programs[i]!.run('step', ...given).forEach((tensor) => tensor.dispose())
  // Graphs are optimized at their first run.
  names.forEach((_, i) => once(i))
  const begun = now()
  once(0)
  const repeats = Math.max(1, Math.ceil(LEAST_MS / Math.max(0.01, now() - begun)))
  const times = names.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    names.forEach((_, i) => {
      const started = now()
      for (let repeat = 0; repeat < repeats; repeat++) once(i)
      times[i]!.push((now() - started) / repeats)
    })
  for (const program of programs) program.dispose()
  return new Map(names.map((name, i) => [name, median(times[i]!)]))
}

const quickest = <Name extends string>(measured: Measured<Name>, plain: Name): Name =>
  [...measured].reduce(
    (best, entry) => (entry[1] < best[1] * (best[0] === plain ? WORTH : 1) ? entry : best),
    [plain, measured.get(plain)!] as [Name, number],
  )[0]

type Tuned = {
  readonly choice: Choice
  readonly before: number
  readonly after: number
  readonly text: string
}

const tuneShape = (shape: Shape, rounds: number, now: () => number): Tuned => {
  const { tf } = loadRuntime()
  const { batch, size, channels, kernel, stride } = shape
  const out = Math.ceil(size / stride)
  const x = tf.randomNormal([batch, size, size, channels])
  const dy = tf.randomNormal([batch, out, out, channels])
  const filter = tf.randomNormal([kernel, kernel, channels, 1])
  const input = measure(INPUT_LOWERINGS, [dy, filter], x.shape, shape, rounds, now)
  const filters = measure(FILTER_LOWERINGS, [x, dy], filter.shape, shape, rounds, now)
  for (const tensor of [x, dy, filter]) tensor.dispose()
  const choice = { input: quickest(input, 'tensorflow'), filter: quickest(filters, 'tensorflow') }
  const all = (measured: Measured<string>): string =>
    [...measured].map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(', ')
  return {
    choice,
    before: input.get('tensorflow')! + filters.get('tensorflow')!,
    after: input.get(choice.input)! + filters.get(choice.filter)!,
    text: `input: ${all(input)} → ${choice.input}; filter: ${all(filters)} → ${choice.filter}`,
  }
}

export const benchTune = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      preset: { type: 'string', multiple: true, default: Object.keys(PRESETS) },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '1' },
      xla: { type: 'boolean', default: false },
      cpu: { type: 'boolean', default: false },
      write: { type: 'string' },
    },
  })
  const { tf, binding } = loadRuntime({ threads: Number(values.threads) })
  registerGradients()
  const now = (): number => {
    if (!values.cpu) return performance.now()
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const shapes = new Map<string, Shape>()
  for (const preset of values.preset)
    for (const shape of depthwiseShapes(preset as PresetName)) shapes.set(keyOf(shape), shape)
  const tuned = new Map<string, Tuned>()
  for (const [key, shape] of shapes) {
    const found = tf.tidy(() => tuneShape(shape, Number(values.rounds), now))
    tuned.set(key, found)
    console.log(`${key.padEnd(26)} ms  ${found.text}`)
  }

  const file = values.write === undefined ? tableFile() : path.resolve(values.write)
  const kept = fs.existsSync(file) ? loadTable(file).rows.filter((row) => !tuned.has(keyOf(row))) : []
  const rows = [...kept, ...[...shapes].map(([key, shape]) => ({ ...shape, ...tuned.get(key)!.choice }))]
  const device = binding.isUsingGpuDevice() ? 'GPU' : processor()
  writeMeasured(file, { machine: `${device}; TensorFlow ${binding.TF_Version}`, rows } satisfies Table)
  for (const preset of values.preset) {
    const steps = depthwiseShapes(preset as PresetName).map((shape) => tuned.get(keyOf(shape))!)
    const [before, after] = (['before', 'after'] as const).map((key) =>
      steps.reduce((sum, step) => sum + step[key], 0),
    ) as [number, number]
    console.log(
      `${preset}: gradients of depthwise convolutions, one step of each network: ${before.toFixed(1)} ms by TensorFlow's ops, ${after.toFixed(1)} ms as chosen`,
    )
  }
  console.log(`written to ${file}`)
  if (values.xla || binding.isUsingGpuDevice())
    for (const preset of values.preset) tuneXla(preset as PresetName, now)
  // Processor time says nothing of workers side by side.
  if (values.cpu) return
  await measureSplits({ evaluator: ENGINE, spawn: spawnNode })
  console.log(`workers: ${describeSplit()}`)
}
