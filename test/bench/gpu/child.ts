/**
 * Runs a group's cases in a process of its own: node child.ts <group> <device> <file> [layers]. On "stand-in" the engine takes the
 * machine for one with a GPU, and does all as it would there. The numbers and the graphs that were run go into the file.
 */
import fs from 'node:fs'
import { loadRuntime } from '../../../main/engine/runtime.ts'
import { createRandom } from '../../../shared/random.ts'
import { casesOf, type Group } from './cases.ts'
import { listening, standInForGpu, type HeardRun } from './listen.ts'

export type Device = 'cpu' | 'gpu' | 'stand-in'
export type CaseResult = {
  readonly name: string
  readonly numbers: Readonly<Record<string, readonly number[]>>
  readonly runs: readonly HeardRun[]
}

const [group = '', device = '', file = '', layers = ''] = process.argv.slice(2)
const { binding } = loadRuntime({ mixedPrecision: group === 'bfloat16' && device !== 'cpu' })
if (device === 'stand-in') standInForGpu()
if (binding.isUsingGpuDevice() !== (device !== 'cpu'))
  throw new Error(`needed TensorFlow on the ${device}, got it elsewhere`)
// Weights that tfjs draws are the same in every process.
const random = createRandom('gpu')
Math.random = () => random.next()

const results: CaseResult[] = []
for (const { name, run } of casesOf(group as Group, layers === '' ? undefined : layers.split(','))) {
  let numbers: CaseResult['numbers'] = {}
  const runs = await listening(async () => {
    numbers = Object.fromEntries(
      Object.entries(await run()).map(([key, values]) => [key, Array.from(values)]),
    )
  })
  results.push({ name, numbers, runs: device === 'cpu' ? [] : runs })
}
fs.writeFileSync(file, JSON.stringify(results))
