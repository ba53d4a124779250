/**
 * Shape and type of each op's outputs, from those of its inputs: what lets a step be recorded without running it.
 * Keyed by TensorFlow's op names; semantics from TensorFlow's op documentation.
 */
import type { Size } from '../../../shared/symbolic/program.ts'
import { resultSizes } from '../../../shared/symbolic/plan.ts'
import { DETECTION } from './detectionShapes.ts'
import { DT, values, type Attributes, type Known, type Out, type ShapeFunction } from './known.ts'

export { DT }
export type { Known }

export const broadcastShape = (a: readonly number[], b: readonly number[]): number[] => {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new Error(`jit: shapes [${a}] and [${b}] do not broadcast`)
    return x === 1 ? y : x
  })
}

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const wrap = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

const same: ShapeFunction = ([a]) => [{ shape: a!.shape, dtype: a!.dtype }]
const broadcast: ShapeFunction = ([a, b]) => [{ shape: broadcastShape(a!.shape, b!.shape), dtype: a!.dtype }]
const compare: ShapeFunction = ([a, b]) => [{ shape: broadcastShape(a!.shape, b!.shape), dtype: DT.bool }]
const reduce: ShapeFunction = ([a, axes], { keep_dims }) => {
  const reduced = new Set(values(axes).map((axis) => wrap(axis, a!.shape.length)))
  const shape = a!.shape.flatMap((d, i) => (reduced.has(i) ? (keep_dims ? [1] : []) : [d]))
  return [{ shape, dtype: a!.dtype }]
}
const shapedBy =
  (index: number): ShapeFunction =>
  (inputs) => [{ shape: values(inputs[index]), dtype: DT.float }]

/** Output height and width of a window sliding over `[batch, height, width, channels]`. */
const window = (
  x: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
): [number, number] => {
  const strides = attributes.strides as number[]
  const dilations = (attributes.dilations as number[] | undefined) ?? [1, 1, 1, 1]
  const explicit = (attributes.explicit_paddings as number[] | undefined) ?? []
  const along = (axis: 1 | 2): number => {
    const extent = (kernel[axis - 1]! - 1) * dilations[axis]! + 1
    const stride = strides[axis]!
    if (attributes.padding === 'SAME') return Math.ceil(x[axis]! / stride)
    const pad = attributes.padding === 'VALID' ? 0 : (explicit[2 * axis] ?? 0) + (explicit[2 * axis + 1] ?? 0)
    return Math.floor((x[axis]! + pad - extent) / stride) + 1
  }
  return [along(1), along(2)]
}

const FUNCTIONS: Record<string, ShapeFunction> = {
  ...DETECTION,
  Cast: ([a], { DstT }) => [{ shape: a!.shape, dtype: DstT as number }],
  Reshape: ([a, to]) => {
    const shape = values(to)
    const unknown = shape.indexOf(-1)
    if (unknown >= 0) shape[unknown] = elementsOf(a!.shape) / elementsOf(shape.filter((d) => d >= 0))
    return [{ shape, dtype: a!.dtype }]
  },
  Fill: ([shape, value]) => [{ shape: values(shape), dtype: value!.dtype }],
  BroadcastTo: ([a, shape]) => [{ shape: values(shape), dtype: a!.dtype }],
  Tile: ([a, times]) => {
    const repeat = values(times)
    return [{ shape: a!.shape.map((d, i) => d * repeat[i]!), dtype: a!.dtype }]
  },
  Transpose: ([a, order]) => [{ shape: values(order).map((axis) => a!.shape[axis]!), dtype: a!.dtype }],
  ExpandDims: ([a, at]) => {
    const shape = [...a!.shape]
    shape.splice(wrap(values(at)[0]!, shape.length + 1), 0, 1)
    return [{ shape, dtype: a!.dtype }]
  },
  Squeeze: ([a], { squeeze_dims }) => {
    const axes = (squeeze_dims as number[]).map((axis) => wrap(axis, a!.shape.length))
    return [
      { shape: a!.shape.filter((d, i) => (axes.length > 0 ? !axes.includes(i) : d !== 1)), dtype: a!.dtype },
    ]
  },
  OneHot: ([a, depth, on]) => [{ shape: [...a!.shape, values(depth)[0]!], dtype: on!.dtype }],
  ConcatV2: (inputs) => {
    const parts = inputs.slice(0, -1)
    const shape = [...parts[0]!.shape]
    const axis = wrap(values(inputs.at(-1))[0]!, shape.length)
    shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0)
    return [{ shape, dtype: parts[0]!.dtype }]
  },
  Slice: ([a, begin, length]) => {
    const from = values(begin)
    return [{ shape: values(length).map((d, i) => (d < 0 ? a!.shape[i]! - from[i]! : d)), dtype: a!.dtype }]
  },
  Pad: ([a, pads]) => {
    const around = values(pads)
    return [{ shape: a!.shape.map((d, i) => d + around[2 * i]! + around[2 * i + 1]!), dtype: a!.dtype }]
  },
  MatMul: ([a, b], { transpose_a, transpose_b }) => [
    { shape: [a!.shape[transpose_a ? 1 : 0]!, b!.shape[transpose_b ? 0 : 1]!], dtype: a!.dtype },
  ],
  BatchMatMulV2: ([a, b], { adj_x, adj_y }) => {
    const rows = a!.shape.at(adj_x ? -1 : -2)!
    const columns = b!.shape.at(adj_y ? -2 : -1)!
    return [
      {
        shape: [...broadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), rows, columns],
        dtype: a!.dtype,
      },
    ]
  },
  SelectV2: ([condition, a, b]) => [
    { shape: broadcastShape(broadcastShape(condition!.shape, a!.shape), b!.shape), dtype: a!.dtype },
  ],
  Conv2D: ([x, w], attributes) => [
    { shape: [x!.shape[0]!, ...window(x!.shape, w!.shape, attributes), w!.shape[3]!], dtype: x!.dtype },
  ],
  DepthwiseConv2dNative: ([x, w], attributes) => [
    {
      shape: [x!.shape[0]!, ...window(x!.shape, w!.shape, attributes), w!.shape[2]! * w!.shape[3]!],
      dtype: x!.dtype,
    },
  ],
  Conv2DBackpropInput: shapedBy(0),
  DepthwiseConv2dNativeBackpropInput: shapedBy(0),
  Conv2DBackpropFilter: shapedBy(1),
  DepthwiseConv2dNativeBackpropFilter: shapedBy(1),
  AvgPool: ([x], attributes) => [
    {
      shape: [
        x!.shape[0]!,
        ...window(x!.shape, (attributes.ksize as number[]).slice(1, 3), attributes),
        x!.shape[3]!,
      ],
      dtype: x!.dtype,
    },
  ],
  AvgPoolGrad: shapedBy(0),
  ArgMax: ([a, axis], { output_type }) => {
    const at = wrap(values(axis)[0]!, a!.shape.length)
    return [{ shape: a!.shape.filter((_, i) => i !== at), dtype: output_type as number }]
  },
  FusedBatchNormV3: ([x]) => {
    const channel = { shape: [x!.shape[3]!], dtype: x!.dtype }
    return [{ shape: x!.shape, dtype: x!.dtype }, channel, channel, channel, channel, channel]
  },
  FusedBatchNormGradV3: ([, x]) => {
    const channel = { shape: [x!.shape[3]!], dtype: x!.dtype }
    const none = { shape: [0], dtype: x!.dtype }
    return [{ shape: x!.shape, dtype: x!.dtype }, channel, channel, none, none]
  },
  NormForgeDepthwiseFilter: ([x], { kernel }) => [
    { shape: [kernel as number, kernel as number, x!.shape[3]!, 1], dtype: x!.dtype },
  ],
  NormForgeProgram: ([x], { plan }) => {
    const [n, , , c] = x!.shape as [number, number, number, number]
    const shapes: Record<Size, number[]> = {
      scalar: [1, 1, 1, 1],
      c: [c],
      n: [n, 1, 1, 1],
      nc: [n, 1, 1, c],
      full: x!.shape,
    }
    return resultSizes(plan as string).map((size) => ({ shape: shapes[size], dtype: x!.dtype }))
  },
}
FUNCTIONS.MaxPool = FUNCTIONS.AvgPool!

const SAME =
  'AddN ReverseV2 Neg Exp Log Log1p Sqrt Rsqrt Square Relu Relu6 Sigmoid Tanh Abs Sign ZerosLike OnesLike Identity Reciprocal Elu ' +
  'Softplus Softmax LogSoftmax Floor Round Erf LogicalNot ReluGrad Relu6Grad TanhGrad SigmoidGrad SqrtGrad RsqrtGrad'
const BROADCAST =
  'Mul Add AddV2 Sub RealDiv Div Maximum Minimum Pow SquaredDifference FloorDiv DivNoNan FloorMod'
const COMPARE = 'Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr'
for (const name of SAME.split(' ')) FUNCTIONS[name] = same
for (const name of BROADCAST.split(' ')) FUNCTIONS[name] = broadcast
for (const name of COMPARE.split(' ')) FUNCTIONS[name] = compare
for (const name of ['RandomStandardNormal', 'RandomUniform', 'TruncatedNormal']) FUNCTIONS[name] = shapedBy(0)
for (const name of ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'All', 'Any']) FUNCTIONS[name] = reduce

/** Shapes and types of an op's outputs; an error names an op that has no graph form here. */
export const outputsOf = (op: string, inputs: readonly Known[], attributes: Attributes): Out[] => {
  const infer = FUNCTIONS[op]
  if (!infer)
    throw new Error(`jit: the step uses the op ${op}, which has no shape function, so it can't be recorded`)
  return infer(inputs, attributes)
}
