/** FID, Inception Score and class agreement of images, as a network sees them. */
import { frechetDistance, gaussianOf, type Gaussian } from '../../metrics/frechet.ts'
import { inceptionScore } from '../../metrics/inceptionScore.ts'
import type { Critic, Opinions } from './classifier.ts'

/** Images of bytes, and the class each one is, or was asked to be. */
export type Labelled = { readonly images: Uint8Array; readonly labels: ArrayLike<number> }

export type Scores = {
  readonly measures: { readonly fid: number; readonly inceptionScore: number; readonly agreement: number }
  /** Variance of the features, summed over their dimensions: 0 for images that are all alike. */
  readonly variance: number
}

export const gaussianOfOpinions = ({ features, dimensions }: Opinions): Gaussian =>
  gaussianOf({ values: features, samples: features.length / dimensions, dimensions })

/** Who scores: FID and Inception Score are the critic's, agreement is of the classifier that knows the data's classes. */
export type Critics = { readonly critic: Critic; readonly classifier: Critic }

/** Scores of images against the features of the real ones. */
export const scoresOf = async (
  { critic, classifier }: Critics,
  { images, labels }: Labelled,
  real: Gaussian,
): Promise<Scores> => {
  const opinions = await critic.judge(images, labels.length)
  const own = critic === classifier ? opinions : await classifier.judge(images, labels.length)
  const gaussian = gaussianOfOpinions(opinions)
  const classes = opinions.probabilities.length / labels.length
  const score = inceptionScore({ values: opinions.probabilities, samples: labels.length, classes })
  return {
    measures: {
      fid: frechetDistance(gaussian, real),
      inceptionScore: score.mean,
      agreement: agreementOf(own.probabilities, labels),
    },
    variance: gaussian.covariance.trace(),
  }
}

/** The share of images whose likeliest class is their own. */
export const agreementOf = (probabilities: Float32Array, labels: ArrayLike<number>): number => {
  const classes = probabilities.length / labels.length
  let right = 0
  for (let n = 0; n < labels.length; n++) {
    const row = probabilities.subarray(n * classes, (n + 1) * classes)
    if (row.every((p, c) => c === labels[n] || p < row[labels[n]!]!)) right++
  }
  return right / labels.length
}
