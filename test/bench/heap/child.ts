/**
 * Runs cases in a process of its own: node child.ts <group> <short?> <first> <most> <trace file> <threads>. The trace file
 * always says which case is running and which op was handed to TensorFlow last, however the process ends.
 */
import fs from 'node:fs'
import { registerGradients } from '../../../main/engine/gradients/index.ts'
import { hasKernels } from '../../../main/engine/kernels.ts'
import { loadRuntime, type OpAttribute } from '../../../main/engine/runtime.ts'
import { createRandom } from '../../../shared/random.ts'
import { casesOf, type Group } from './cases.ts'
import { control } from './control.ts'

/** What the trace says: the next case to run, and what was running when it ended. */
export type Trace = {
  readonly next: number
  readonly total: number
  readonly name: string
  readonly op: string
}
const LENGTH = 1024

/** Tells `tell` of every op before the addon runs it, with shapes and what makes a convolution. */
const listen = (tell: (op: string) => void): void => {
  const { binding } = loadRuntime()
  const { executeOp, createTensor, deleteTensor, runSavedModel } = binding
  const shapes = new Map<number, string>()
  const geometry = (attributes: readonly OpAttribute[]): string =>
    attributes
      .filter(({ name }) => ['strides', 'padding', 'ksize', 'kernel', 'stride'].includes(name))
      .map(({ name, value }) => `, ${name} ${String(value)}`)
      .join('')
  Object.assign(binding, {
    createTensor: (shape, ...rest) => {
      const id = createTensor(shape, ...rest)
      shapes.set(id, `[${shape}]`)
      return id
    },
    deleteTensor: (id) => {
      shapes.delete(id)
      deleteTensor(id)
    },
    executeOp: (name, attributes, inputs, outputs) => {
      tell(`${name} on ${inputs.map((id) => shapes.get(id) ?? '[?]').join(' ')}${geometry(attributes)}`)
      const results = executeOp(name, attributes, inputs, outputs)
      for (const { id, shape } of results) shapes.set(id, `[${shape}]`)
      return results
    },
    runSavedModel: (...given) => {
      tell('a recorded graph')
      return runSavedModel(...given)
    },
  } satisfies Partial<typeof binding>)
}

const [group = '', short, first, most, traceFile = '', threads] = process.argv.slice(2)
loadRuntime({ threads: Number(threads) })
registerGradients()
hasKernels()
// Weights that tfjs draws are the same in every run.
const random = createRandom('heap')
Math.random = () => random.next()

const file = fs.openSync(traceFile, 'w')
let running: Trace = { next: 0, total: 0, name: '', op: '' }
const write = (changed: Partial<Trace>): void => {
  running = { ...running, ...changed }
  fs.writeSync(file, JSON.stringify(running).padEnd(LENGTH), 0)
}
if (group === 'control') control()
else {
  const cases = casesOf(group as Group, short === 'short')
  listen((op) => write({ op }))
  const from = Number(first)
  for (let i = from; i < Math.min(cases.length, from + Number(most)); i++) {
    // What comes after it is the next one, so that a crash is not met again.
    write({ next: i + 1, total: cases.length, name: cases[i]!.name, op: 'none yet' })
    await cases[i]!.run()
  }
}
