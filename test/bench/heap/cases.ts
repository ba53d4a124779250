/**
 * What the heap is watched over: every convolution that a network of the catalog could be made of, by itself, and every
 * network of every task. Eagerly (so that a crash names its op) and recorded (as users run them); forward, backward and
 * second order.
 */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { jit } from '../../../main/engine/jit/jit.ts'
import type { Step } from '../../../main/engine/jit/recorder.ts'
import { loadRuntime, type Tensor } from '../../../main/engine/runtime.ts'
import { networkCases } from './networks.ts'
import { taskCases } from './tasks.ts'

export type HeapCase = { readonly name: string; readonly run: () => void | Promise<void> }
export const GROUPS = ['convolutions', 'networks', 'tasks'] as const
export type Group = (typeof GROUPS)[number]

/** Sides of images; the short version takes one of each parity. */
const SIDES = Array.from({ length: 29 }, (_, i) => 5 + i)
const FEW_SIDES = [8, 9]

export const casesOf = (group: Group, short: boolean): readonly HeapCase[] => {
  const sides = short ? FEW_SIDES : SIDES
  if (group === 'convolutions') return convolutionCases(sides, short)
  return group === 'networks' ? networkCases(short ? [9] : sides, short) : taskCases(short)
}

type Kind = 'convolution' | 'depthwise' | 'transposed'
/** Kernels and strides of the catalog's networks, and a stride more. */
const GEOMETRIES: Readonly<Record<Kind, { kernels: readonly number[]; strides: readonly number[] }>> = {
  convolution: { kernels: [1, 3, 5, 7], strides: [1, 2, 3] },
  depthwise: { kernels: [3, 5], strides: [1, 2, 3] },
  transposed: { kernels: [1, 2, 3], strides: [2] },
}
/** One channel, fewer than a vector has, whole vectors, and vectors with some left over. */
const CHANNELS: readonly (readonly [from: number, to: number])[] = [
  [1, 1],
  [3, 5],
  [3, 8],
  [8, 16],
  [24, 16],
  [40, 13],
]

const convolutionCases = (sides: readonly number[], short: boolean): HeapCase[] =>
  (Object.keys(GEOMETRIES) as Kind[]).flatMap((kind) => {
    const { kernels, strides } = GEOMETRIES[kind]
    return kernels.flatMap((kernel) =>
      strides.flatMap((stride) =>
        sides.flatMap((side) =>
          (short ? CHANNELS.slice(1, 2) : CHANNELS).map((channels) =>
            convolutionCase(kind, kernel, stride, side, channels),
          ),
        ),
      ),
    )
  })

const convolutionCase = (
  kind: Kind,
  kernel: number,
  stride: number,
  side: number,
  [from, to]: readonly [number, number],
): HeapCase => {
  const forward = (x: Tensor, filter: Tensor): Tensor => {
    const { tf } = loadRuntime()
    const [image, weights] = [x as Tensor4D, filter as Tensor4D]
    if (kind === 'convolution') return tf.conv2d(image, weights, stride, 'same')
    if (kind === 'depthwise') return tf.depthwiseConv2d(image, weights, stride, 'same')
    return tf.conv2dTranspose(image, weights, [x.shape[0]!, side * stride, side * stride, to], stride, 'same')
  }
  const step: Step = (x, filter) => {
    const { tf } = loadRuntime()
    const first = tf.grads((x: Tensor, filter: Tensor) => forward(x, filter).square().sum())
    const norm = (x: Tensor, filter: Tensor): Tensor =>
      tf.addN(first([x, filter]).map((gradient) => gradient.square().sum()))
    return [forward(x!, filter!), ...first([x!, filter!]), ...tf.grads(norm)([x!, filter!])]
  }
  const run = (): void => {
    const { tf } = loadRuntime()
    const shape = { convolution: [from, to], depthwise: [to, 1], transposed: [to, from] }[kind]
    tf.tidy(() => {
      const filter = tf.randomNormal([kernel, kernel, ...shape])
      const images = (n: number): Tensor => tf.randomNormal([n, side, side, kind === 'depthwise' ? to : from])
      step(images(1), filter)
      step(images(2), filter)
      const recorded = jit(step, { variables: [] })
      recorded(images(1), filter)
      recorded.dispose()
    })
  }
  return { name: `${kind} ${kernel}×${kernel}/${stride}, side ${side}, ${from} → ${to} channels`, run }
}
