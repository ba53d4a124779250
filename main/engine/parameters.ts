import { createRandom, type Random } from '../../shared/random.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

/** The variables of one network, made in a fixed order from one seed. */
export type Parameters = {
  /** Convolution kernel `[height, width, in, out]`: He initialisation on its fan-in, or the values given. */
  kernel(shape: readonly number[], initial: number | Float32Array): Variable
  /** Per-channel vector (or bias), one value; no weight decay. */
  vector(size: number, value: number): Variable
  /** A moving statistic: kept with the network, not trained. */
  statistic(size: number, value: number): Variable
  readonly trainable: Variable[]
  readonly kernels: Variable[]
  readonly statistics: Variable[]
  dispose(): void
}

export const createParameters = (seed: string): Parameters => {
  const { tf } = loadRuntime()
  const random: Random = createRandom('weights', seed)
  const lists = { trainable: [] as Variable[], kernels: [] as Variable[], statistics: [] as Variable[] }
  const variable = (initial: Tensor): Variable => {
    const made = tf.variable(initial)
    initial.dispose()
    return made
  }
  const drawn = (shape: readonly number[], fanIn: number): Float32Array => {
    const scale = Math.sqrt(2 / fanIn)
    const size = shape.reduce((a, b) => a * b, 1)
    return Float32Array.from({ length: size }, () => scale * random.normal())
  }
  return {
    ...lists,
    kernel: (shape, initial) => {
      const values = typeof initial === 'number' ? drawn(shape, initial) : initial
      const made = variable(tf.tensor(values, [...shape]))
      lists.trainable.push(made)
      lists.kernels.push(made)
      return made
    },
    vector: (size, value) => {
      const made = variable(tf.fill([size], value))
      lists.trainable.push(made)
      return made
    },
    statistic: (size, value) => {
      const made = variable(tf.fill([size], value))
      lists.statistics.push(made)
      return made
    },
    dispose: () => [...lists.trainable, ...lists.statistics].forEach((v) => v.dispose()),
  }
}
