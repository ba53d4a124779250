/** Class probabilities a sample, `[samples, classes]` in rows; each row sums to 1. */
export type Probabilities = {
  readonly values: Float32Array | Float64Array
  readonly samples: number
  readonly classes: number
}

/** Mean and (biased) standard deviation over the splits; between 1 and the number of classes. */
export type InceptionScore = { readonly mean: number; readonly deviation: number }

/**
 * exp(mean KL(p(y|x) ‖ p(y))), p(y) being the mean of a split's samples: high where each sample is clearly of one class
 * and all classes occur. Source: Salimans et al. 2016, whose ten consecutive splits are the default. With another
 * classifier than Inception it is that classifier's score: name it beside the figure.
 */
export const inceptionScore = ({ values, samples, classes }: Probabilities, splits = 10): InceptionScore => {
  if (values.length !== samples * classes)
    throw new Error(
      `Inception Score: needed ${samples} × ${classes} = ${samples * classes} probabilities, got ${values.length}`,
    )
  if (!Number.isInteger(splits) || splits < 1 || samples < splits)
    throw new Error(`Inception Score: needed a sample or more for each of ${splits} splits, got ${samples}`)
  requireDistributions(values, classes)

  const scores = Array.from({ length: splits }, (_, k) => {
    const first = Math.floor((k * samples) / splits)
    const last = Math.floor(((k + 1) * samples) / splits)
    return scoreOf(values.subarray(first * classes, last * classes), classes)
  })
  const mean = scores.reduce((sum, score) => sum + score, 0) / splits
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / splits
  return { mean, deviation: Math.sqrt(variance) }
}

/** Σ p·ln p of the samples, less that of their mean: the mean divergence, with 0·ln 0 = 0. */
const scoreOf = (values: Float32Array | Float64Array, classes: number): number => {
  const samples = values.length / classes
  const marginal = new Float64Array(classes)
  let own = 0
  values.forEach((p, i) => {
    marginal[i % classes]! += p / samples
    own += p > 0 ? p * Math.log(p) : 0
  })
  const shared = marginal.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0)
  return Math.exp(own / samples - shared)
}

const requireDistributions = (values: Float32Array | Float64Array, classes: number): void => {
  for (let i = 0; i < values.length; i += classes) {
    let sum = 0
    let least = 0
    for (let c = 0; c < classes; c++) {
      sum += values[i + c]!
      least = Math.min(least, values[i + c]!)
    }
    if (!(Math.abs(sum - 1) < 1e-3) || least < 0)
      throw new Error(
        `Inception Score: needed probabilities that sum to 1, got a sum of ${sum} in sample ${i / classes}`,
      )
  }
}
