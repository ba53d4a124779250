import { createRequire } from 'node:module'
import { attribute, loadRuntime, runOp, type Tensor, type Tf } from '../runtime.ts'
import { callerLine } from './caller.ts'

type Drawing = Pick<Tf, 'randomNormal' | 'randomUniform' | 'truncatedNormal' | 'dropout'>

const drawn = (op: string, shape: readonly number[]): Tensor => {
  const { tf, binding } = loadRuntime()
  const types = [attribute.type('dtype', binding.TF_FLOAT), attribute.type('T', binding.TF_INT32)]
  const seeds = [attribute.int('seed', 0), attribute.int('seed2', 0)]
  return runOp(op, [...types, ...seeds], [tf.tensor1d([...shape], 'int32')])[0]!
}

/** tfjs's functions, but that float32 without a seed is drawn by an op. */
const byOps = ({ randomNormal, randomUniform, truncatedNormal, dropout }: Drawing): Drawing => ({
  randomNormal: (shape, mean = 0, deviation = 1, dtype = 'float32', seed) =>
    seed || dtype !== 'float32'
      ? randomNormal(shape, mean, deviation, dtype, seed)
      : (drawn('RandomStandardNormal', shape).mul(deviation).add(mean) as never),
  truncatedNormal: (shape, mean = 0, deviation = 1, dtype = 'float32', seed) =>
    seed || dtype !== 'float32'
      ? truncatedNormal(shape, mean, deviation, dtype, seed)
      : (drawn('TruncatedNormal', shape).mul(deviation).add(mean) as never),
  randomUniform: (shape, least = 0, most = 1, dtype = 'float32', seed) =>
    seed !== undefined || dtype !== 'float32'
      ? randomUniform(shape, least, most, dtype, seed)
      : (drawn('RandomUniform', shape)
          .mul(most - least)
          .add(least) as never),
  dropout: (x, rate, noiseShape, seed) => {
    const chosen = seed !== undefined || !(rate > 0 && rate < 1)
    if (chosen || !(x instanceof loadRuntime().tf.Tensor)) return dropout(x, rate, noiseShape, seed)
    const shape = (noiseShape ?? x.shape).map((size, i) => size ?? x.shape[i]!)
    const kept = 1 - rate
    return x.mul(drawn('RandomUniform', shape).add(kept).floor().div(kept))
  },
})

/**
 * tfjs draws random tensors in JavaScript, so that a recorded step would have the same numbers at every call. While `step`
 * runs, they are drawn by TensorFlow's ops instead, anew at every call; those of a given seed, which are the same at every
 * eager call too, stay as they are. Whatever else asks for chance is refused.
 */
export const drawingByOps = (step: () => void): void => {
  const core = createRequire(import.meta.url)('@tensorflow/tfjs-core') as Drawing
  const { randomNormal, randomUniform, truncatedNormal, dropout } = core
  const { random } = Math
  Object.assign(core, byOps({ randomNormal, randomUniform, truncatedNormal, dropout }))
  Math.random = () => {
    throw new Error(
      `jit: the step draws numbers in JavaScript (Math.random), which a recorded step does only once (${callerLine()})`,
    )
  }
  try {
    step()
  } finally {
    Object.assign(core, { randomNormal, randomUniform, truncatedNormal, dropout })
    Math.random = random
  }
}
