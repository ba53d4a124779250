/** The hinge losses, of scores `[batch]`: the higher, the more real. Source: Lim & Ye 2017; Brock et al. 2019. */
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** mean max(0, 1 − D(real)) + mean max(0, 1 + D(fake)): nothing is left to learn from scores past ±1. */
export const discriminatorLoss = (real: Tensor, fake: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const one = tf.scalar(1)
  return tf
    .relu(one.sub(real))
    .mean()
    .add(tf.relu(fake.add(one)).mean())
}

/** −mean D(fake). */
export const generatorLoss = (fake: Tensor): Tensor => fake.mean().neg()
