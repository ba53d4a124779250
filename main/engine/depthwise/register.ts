import fs from 'node:fs'
import { machineFile } from '../../setup/machine.mjs'
import { loadRuntime, type Tensor } from '../runtime.ts'
import { FILTER_LOWERINGS, INPUT_LOWERINGS, type Lowering } from './lowerings.ts'
import { shippedTable } from './shipped.ts'
import { choose, parseTable, type Shape, type Table } from './table.ts'

/** This machine's own table. */
export const tableFile = (): string => machineFile('depthwise.json')

/** This machine's table where `npm run bench -- tune` has made one, else the one that comes with the program. */
export const loadTable = (own = tableFile()): Table => {
  if (!fs.existsSync(own)) return loadRuntime().binding.isUsingGpuDevice() ? NOTHING : shippedTable()
  try {
    return parseTable(fs.readFileSync(own, 'utf8'), own)
  } catch (error) {
    console.error(
      `engine: going on with the table of lowerings that comes with it: ${(error as Error).message}`,
    )
    return shippedTable()
  }
}
/** cuDNN's are the ones to be had on a GPU, until something has been measured there. */
const NOTHING: Table = { machine: '', rows: [] }

type Attributes = {
  readonly strides: number | readonly [number, number]
  readonly dilations?: number | readonly [number, number]
  readonly pad: unknown
  readonly inputShape?: readonly number[]
  readonly filterShape?: readonly number[]
}
const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value

/** The shape of a convolution that lowerings are made for; null for others. */
const shapeOf = (x: readonly number[], filter: readonly number[], attributes: Attributes): Shape | null => {
  const [[down, across], dilations] = [pair(attributes.strides), pair(attributes.dilations ?? 1)]
  const plain = attributes.pad === 'same' && dilations[0] === 1 && dilations[1] === 1
  if (!plain || down !== across || filter[0] !== filter[1] || filter[3] !== 1) return null
  const [batch, height, width, channels] = x as [number, number, number, number]
  return { batch, size: Math.sqrt(height * width), channels, kernel: filter[0]!, stride: down }
}

/**
 * Makes tfjs's two backpropagations of depthwise convolutions take the way that the table says, wherever they are used
 * (their own gradients stay: ../gradients/convolution.ts). NORMFORGE_DEPTHWISE=tensorflow leaves them as they are.
 */
export const registerDepthwise = (): void => {
  if (process.env.NORMFORGE_DEPTHWISE === 'tensorflow') return
  const table = loadTable()
  replace('DepthwiseConv2dNativeBackpropInput', ({ dy, filter }, attributes) => {
    const to = attributes.inputShape!
    const shape = shapeOf(to, filter!.shape, attributes)
    return shape && lower(INPUT_LOWERINGS[choose(table, shape).input], [dy!, filter!], to, shape)
  })
  replace('DepthwiseConv2dNativeBackpropFilter', ({ x, dy }, attributes) => {
    const to = attributes.filterShape!
    const shape = shapeOf(x!.shape, to, attributes)
    return shape && lower(FILTER_LOWERINGS[choose(table, shape).filter], [x!, dy!], to, shape)
  })
}

/** null where it can't be had here: the table may come from another machine. */
const lower = ({ suits, run }: Lowering, ...args: Parameters<Lowering['run']>): Tensor | null =>
  suits(args[2]) ? run(...args) : null

/** tfjs's kernel stays for what `run` gives null for. */
const replace = (
  kernelName: string,
  run: (inputs: Record<string, Tensor>, attributes: Attributes) => Tensor | null,
): void => {
  const { tf } = loadRuntime()
  const plain = tf.getKernel(kernelName, 'tensorflow')
  tf.unregisterKernel(kernelName, 'tensorflow')
  tf.registerKernel({
    ...plain,
    kernelFunc: (given) =>
      run(given.inputs as Record<string, Tensor>, given.attrs as unknown as Attributes) ??
      plain.kernelFunc(given),
  })
}
