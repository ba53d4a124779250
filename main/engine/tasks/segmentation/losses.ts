/** The five losses, each a scalar: Ren et al. 2015, equation 1; He et al. 2017, section 3. */
import { loadRuntime, type Tensor } from '../../runtime.ts'

/** Where the proposals' smooth L1 turns from square to straight (Detectron). */
export const PROPOSAL_BETA = 1 / 9
export const HEAD_BETA = 1

/** max(z, 0) − z·t + ln(1 + e^−|z|): cross-entropy of a sigmoid with targets of 0 to 1, elementwise. */
export const sigmoidCrossEntropy = (logits: Tensor, targets: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const tail = tf.log1p(tf.exp(tf.abs(logits).neg()))
  return tf.relu(logits).sub(logits.mul(targets)).add(tail)
}

/** ½x²/β below β, |x| − ½β above; elementwise. */
export const smoothL1 = (x: Tensor, beta: number): Tensor => {
  const { tf } = loadRuntime()
  const size = tf.abs(x)
  const square = tf.minimum(size, beta)
  // The square part up to β, and the straight part beyond it.
  return square
    .square()
    .mul(0.5 / beta)
    .add(size.sub(square))
}

/** Cross-entropy of logits `[k, classes]` with labels `[k]`: `[k]`. */
export const crossEntropies = (logits: Tensor, labels: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const hot = tf.oneHot(labels as never, logits.shape[1]!).cast('float32')
  return hot.mul(tf.logSoftmax(logits)).sum(1).neg()
}

/** Σ values · weights over Σ of `counted`, which counts as 1 at least. */
export const weightedMean = (values: Tensor, weights: Tensor, counted: Tensor = weights): Tensor => {
  const { tf } = loadRuntime()
  return values.mul(weights).sum().div(tf.maximum(counted.sum(), 1))
}

/** Picks each row's own class: `x` `[k, n, classes]`, classes `[k]` → `[k, n]`. Classes count from 1; 0 (background) gives 0. */
export const ofClass = (x: Tensor, classes: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const [k, , count] = x.shape as [number, number, number]
  const hot = tf.oneHot(classes.sub(tf.scalar(1, 'int32')) as never, count).cast('float32')
  return x.mul(hot.reshape([k, 1, count])).sum(2)
}
