import { attribute, loadRuntime, runOp, type Tensor } from '../runtime.ts'
import { kernel, only, setGradient, setKernel } from './registry.ts'

/** Sums a gradient over the dimensions that broadcasting had expanded. */
export const sumToShape = (dy: Tensor, shape: readonly number[]): Tensor => {
  const offset = dy.shape.length - shape.length
  const axes = dy.shape.flatMap((size, i) => (i < offset || (shape[i - offset] === 1 && size > 1) ? [i] : []))
  return (axes.length > 0 ? dy.sum(axes) : dy).reshape([...shape])
}

/** Broadcasts as TensorFlow's BroadcastTo: tfjs's broadcastTo is a Tile, whose gradient is one slice a repetition. */
export const broadcastTo = (x: Tensor, shape: readonly number[]): Tensor =>
  String(x.shape) === String(shape) ? x : kernel('NormForgeBroadcastTo', { x }, { shape })

/** TensorFlow's where(condition, a, b), broadcasting. */
export const select = (condition: Tensor, a: Tensor, b: Tensor): Tensor =>
  kernel('NormForgeSelect', { condition, a, b })

const keepShape = (shape: readonly number[], axis: unknown): number[] => {
  const { tf } = loadRuntime()
  const axes = tf.util.parseAxisParam(axis as number[], [...shape])
  return shape.map((size, i) => (axes.includes(i) ? 1 : size))
}
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export const registerElementwise = (): void => {
  const { tf, binding } = loadRuntime()
  setKernel(
    'NormForgeBroadcastTo',
    ({ x }, { shape }) =>
      runOp(
        'BroadcastTo',
        [attribute.float32(), attribute.type('Tidx', binding.TF_INT32)],
        [x!, tf.tensor1d(shape as number[], 'int32')],
      )[0]!,
    { inputsToSave: ['x'], gradFunc: (dy, [x]) => ({ x: () => sumToShape(only(dy), x!.shape) }) },
  )
  setKernel(
    'NormForgeSelect',
    ({ condition, a, b }) => runOp('SelectV2', [attribute.float32()], [condition!, a!, b!])[0]!,
    {
      inputsToSave: ['condition', 'a', 'b'],
      gradFunc: (dy, [condition, a, b]) => {
        const zero = tf.scalar(0)
        return {
          condition: () => tf.zeros(condition!.shape),
          a: () => sumToShape(select(condition!, only(dy), zero), a!.shape),
          b: () => sumToShape(select(condition!, zero, only(dy)), b!.shape),
        }
      },
    },
  )
  // tfjs multiplies by a full-size tensor of ones; a broadcast costs nothing.
  setGradient('Sum', {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({
      x: () => broadcastTo(only(dy).reshape(keepShape(x!.shape, axis)), x!.shape),
    }),
  })
  setGradient('Mean', {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({
      x: () => {
        const kept = keepShape(x!.shape, axis)
        return broadcastTo(
          only(dy)
            .reshape(kept)
            .mul(size(kept) / size(x!.shape)),
          x!.shape,
        )
      },
    }),
  })
  // tfjs's (SquaredDifference's neither) do not sum over broadcast dimensions. A tie gives the gradient to the first.
  for (const [name, compare] of [
    ['Maximum', 'GreaterEqual'],
    ['Minimum', 'LessEqual'],
  ] as const)
    setGradient(name, {
      inputsToSave: ['a', 'b'],
      gradFunc: (dy, [a, b]) => {
        const first = kernel(compare, { a: a!, b: b! })
        const zero = tf.scalar(0)
        return {
          a: () => sumToShape(select(first, only(dy), zero), a!.shape),
          b: () => sumToShape(select(first, zero, only(dy)), b!.shape),
        }
      },
    })
  setGradient('SquaredDifference', {
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const slope = (): Tensor => a!.sub(b!).mul(only(dy)).mul(2)
      return { a: () => sumToShape(slope(), a!.shape), b: () => sumToShape(slope().neg(), b!.shape) }
    },
  })
  // Piecewise constant: zero, but tfjs has none, and second derivatives pass here.
  for (const name of ['Less', 'LessEqual', 'Greater', 'GreaterEqual', 'Equal', 'NotEqual'])
    setGradient(name, {
      inputsToSave: ['a', 'b'],
      gradFunc: (_dy, [a, b]) => ({ a: () => tf.zerosLike(a!), b: () => tf.zerosLike(b!) }),
    })
  setKernel('NormForgeReluGrad', ({ dy, y }) => runOp('ReluGrad', [attribute.float32()], [dy!, y!])[0]!, {
    inputsToSave: ['y'],
    gradFunc: (dd, [y]) => ({
      dy: () => kernel('NormForgeReluGrad', { dy: only(dd), y: y! }),
      y: () => tf.zerosLike(y!),
    }),
  })
  setGradient('Relu', {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => kernel('NormForgeReluGrad', { dy: only(dy), y: y! }) }),
  })
  setGradient('Abs', { inputsToSave: ['x'], gradFunc: (dy, [x]) => ({ x: () => only(dy).mul(tf.sign(x!)) }) })
}
