import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { createRandom } from '../../../../shared/random.ts'
import type { Mode } from '../../layer.ts'
import { createParameters, type Parameters } from '../../parameters.ts'
import { loadRuntime, type Tensor, type Variable } from '../../runtime.ts'
import { orthogonalMatrix } from './orthogonal.ts'
import { spectralNormal } from './spectral.ts'

export type Op = (x: Tensor, mode: Mode) => Tensor

/** Variables of one network, orthogonal to start with, and the ops that use them, spectrally normalised. */
export type Weights = {
  readonly parameters: Parameters
  /** A convolution of odd size, stride 1, zero-padded to keep its input's size. */
  convolution(size: number, from: number, to: number, bias?: boolean): Op
  /** `[batch, from]` to `[batch, to]`. */
  linear(from: number, to: number, bias?: boolean): Op
  /** `[rows, columns]`, as a function of the mode; `spectral: false` leaves it as it is. */
  table(rows: number, columns: number, spectral?: boolean): (mode: Mode) => Tensor
  /** The weights that are spectrally normalised; the embedding that is not is left out, as BigGAN leaves it. */
  readonly filters: readonly Variable[]
  /** One trainable number. */
  scalar(value: number): Variable
}

export const createWeights = (seed: string): Weights => {
  const { tf } = loadRuntime()
  const parameters = createParameters(seed)
  const random = createRandom('orthogonal', seed)
  const set = (variable: Variable, values: Float32Array): void =>
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape) as Variable))

  const filters: Variable[] = []
  const kernel = (shape: readonly number[]): ((mode: Mode) => Tensor) => {
    const outputs = shape.at(-1)!
    const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
    const weight = parameters.kernel(shape, orthogonalMatrix(rows, outputs, random))
    filters.push(weight)
    const direction = parameters.statistic(outputs, 0)
    set(
      direction,
      Float32Array.from({ length: outputs }, () => random.normal()),
    )
    return (mode) => spectralNormal(weight, direction, mode)
  }
  const biased = (op: Op, to: number, bias: boolean): Op => {
    if (!bias) return op
    const offset = parameters.vector(to, 0)
    return (x, mode) => op(x, mode).add(offset)
  }
  return {
    parameters,
    filters,
    convolution: (size, from, to, bias = true) => {
      const filter = kernel([size, size, from, to])
      const op: Op = (x, mode) => tf.conv2d(x as Tensor4D, filter(mode) as Tensor4D, 1, 'same')
      return biased(op, to, bias)
    },
    linear: (from, to, bias = true) => {
      const matrix = kernel([from, to])
      return biased((x, mode) => tf.matMul(x as Tensor2D, matrix(mode) as Tensor2D), to, bias)
    },
    table: (rows, columns, spectral = true) => {
      if (spectral) return kernel([rows, columns])
      const table = parameters.kernel([rows, columns], orthogonalMatrix(rows, columns, random))
      return () => table
    },
    scalar: (value) => parameters.vector(1, value),
  }
}

/** Rows of a table `[classes, width]` for labels `[batch]`: `[batch, width]`. */
export const rowsOf = (table: Tensor, labels: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const hot = tf.oneHot(labels as never, table.shape[0]!).cast('float32')
  return tf.matMul(hot as Tensor2D, table as Tensor2D)
}
