/**
 * A 1×1 convolution of stride s reads every s-th pixel and ignores the others. Here each such op, forward or backward,
 * becomes the same convolution of stride 1 on those pixels alone, which is a plain matrix product:
 *
 * - It is safe. oneDNN's own filter gradient of the strided one writes past its buffer on processors with AVX2 and no
 *   AVX-512, which corrupts the heap.
 * - It is quick: oneDNN's strided ones take up to twice the time.
 *
 * It is done where ops are handed to TensorFlow, so that no caller can go around it, be the step eager or recorded.
 */
import type { Backend, OpAttribute, Tensor, Tf } from './runtime.ts'

type Op = { readonly name: string; readonly attributes: readonly OpAttribute[]; readonly inputs: Tensor[] }
/** What a strided 1×1 convolution reads, seen as `[outer, height, width, inner]` whatever the data format. */
type Read = {
  readonly outer: number
  readonly height: Side
  readonly width: Side
  readonly inner: number
}
/** A side of `size` pixels, of which each `stride`-th is read: `count` of them. */
type Side = { readonly size: number; readonly stride: number; readonly count: number }

/** Makes the backend compute strided 1×1 convolutions so. Called once, when the runtime loads. */
export const replaceStridedPointwise = (tf: Tf, backend: Backend): void => {
  const { executeSingleOutput, executeMultipleOutputs } = backend
  const instead = (op: Op): Tensor | undefined => {
    const lower = LOWERINGS[op.name]
    if (!lower) return undefined
    const run = (inputs: Tensor[]): Tensor =>
      executeSingleOutput.call(backend, op.name, unstrided(op), inputs)
    return tf.tidy(() => lower(tf, op, run))
  }
  backend.executeSingleOutput = (name, attributes, inputs) =>
    instead({ name, attributes, inputs }) ?? executeSingleOutput.call(backend, name, attributes, inputs)
  backend.executeMultipleOutputs = (name, attributes, inputs, outputs) => {
    const result = instead({ name, attributes, inputs })
    return result ? [result] : executeMultipleOutputs.call(backend, name, attributes, inputs, outputs)
  }
}

/** By op: its result, with `run` for the convolution of stride 1; undefined where it is no strided 1×1 convolution. */
type Lowering = (tf: Tf, op: Op, run: (inputs: Tensor[]) => Tensor) => Tensor | undefined
const LOWERINGS: Readonly<Record<string, Lowering | undefined>> = {
  Conv2D: (_tf, op, run) => {
    const [x, filter] = op.inputs as [Tensor, Tensor]
    const read = readBy(op, x.shape, filter.shape)
    return read && run([taken(x, read, op), filter])
  },
  Conv2DBackpropInput: (tf, op, run) => {
    const [sizes, filter, dy] = op.inputs as [Tensor, Tensor, Tensor]
    if (!isStrided(op)) return undefined
    const shape = [...sizes.dataSync()]
    const read = readBy(op, shape, filter.shape)
    return read && put(run([tf.tensor1d(shapeTaken(read, op, shape), 'int32'), filter, dy]), read, shape)
  },
  Conv2DBackpropFilter: (_tf, op, run) => {
    const [x, sizes, dy] = op.inputs as [Tensor, Tensor, Tensor]
    if (!isStrided(op)) return undefined
    const read = readBy(op, x.shape, [...sizes.dataSync()])
    return read && run([taken(x, read, op), sizes, dy])
  },
}

const valueOf = ({ attributes }: Op, name: string): unknown =>
  attributes.find((attribute) => attribute.name === name)?.value
/** Where height stands in a shape; width follows it. */
const rowsAxis = (op: Op): 1 | 2 => (valueOf(op, 'data_format') === 'NCHW' ? 2 : 1)
const stridesOf = (op: Op): [down: number, across: number] => {
  const strides = valueOf(op, 'strides') as number[]
  const axis = rowsAxis(op)
  return [strides[axis]!, strides[axis + 1]!]
}
const isStrided = (op: Op): boolean => stridesOf(op).some((stride) => stride > 1)
const unstrided = ({ attributes }: Op): OpAttribute[] =>
  attributes.map((attribute) =>
    attribute.name === 'strides' ? { ...attribute, value: [1, 1, 1, 1] } : attribute,
  )

/** What the op reads of `shape`; undefined where its filter is not 1×1, or reads every pixel. */
const readBy = (op: Op, shape: readonly number[], filter: readonly number[]): Read | undefined => {
  if (filter[0] !== 1 || filter[1] !== 1 || !isStrided(op)) return undefined
  if (valueOf(op, 'padding') === 'EXPLICIT') return explicit(op)
  const [down, across] = stridesOf(op)
  const axis = rowsAxis(op)
  // SAME adds nothing around a window of one pixel, so that it is VALID.
  const side = (size: number, stride: number): Side => ({ size, stride, count: Math.ceil(size / stride) })
  return {
    outer: shape.slice(0, axis).reduce((a, b) => a * b, 1),
    height: side(shape[axis]!, down),
    width: side(shape[axis + 1]!, across),
    inner: shape.slice(axis + 2).reduce((a, b) => a * b, 1),
  }
}
/** tfjs has explicit padding in the forward pass alone, which is safe as it is. */
const explicit = (op: Op): undefined => {
  if (op.name === 'Conv2D') return undefined
  throw new Error(`engine: ${op.name} of a strided 1×1 filter needs padding SAME or VALID, got EXPLICIT`)
}

const shapeTaken = ({ height, width }: Read, op: Op, shape: readonly number[]): number[] => {
  const axis = rowsAxis(op)
  return [...shape.slice(0, axis), height.count, width.count, ...shape.slice(axis + 2)]
}
/** What a whole number of strides has more than a side. */
const excess = ({ size, stride, count }: Side): number => count * stride - size

/** The pixels of `x` that are read. */
const taken = (x: Tensor, read: Read, op: Op): Tensor => {
  const { outer, height, width, inner } = read
  const fits = excess(height) + excess(width) === 0
  const whole = fits
    ? x
    : x.reshape([outer, height.size, width.size, inner]).pad([
        [0, 0],
        [0, excess(height)],
        [0, excess(width)],
        [0, 0],
      ])
  return whole
    .reshape([outer, height.count, height.stride, width.count, width.stride * inner])
    .slice([0, 0, 0, 0, 0], [outer, height.count, 1, width.count, inner])
    .reshape(shapeTaken(read, op, x.shape))
}

/** A tensor of `shape` that has `pixels` where they are read, and zeros elsewhere: the transpose of `taken`. */
const put = (pixels: Tensor, { outer, height, width, inner }: Read, shape: readonly number[]): Tensor => {
  const whole = pixels
    .reshape([outer, height.count, 1, width.count, inner])
    .pad([
      [0, 0],
      [0, 0],
      [0, height.stride - 1],
      [0, 0],
      [0, (width.stride - 1) * inner],
    ])
    .reshape([outer, height.count * height.stride, width.count * width.stride, inner])
  const fits = excess(height) + excess(width) === 0
  return (fits ? whole : whole.slice([0, 0, 0, 0], [outer, height.size, width.size, inner])).reshape([
    ...shape,
  ])
}
