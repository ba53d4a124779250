import type { Measures } from '../../../../shared/transfer.ts'
import type { DataSet, ImageSet } from '../../data/dataset.ts'
import { gaussianOfOpinions, scoresOf, type Critics, type Labelled, type Scores } from './scores.ts'

/** Measures images against a data set's held-out ones. */
export type Judge = {
  /** `variance` as a fraction of the held-out images'. */
  scores(images: Labelled): Promise<Scores>
  /**
   * What real images reach: the held-out ones' Inception Score and agreement, and the Fréchet distance from them of as many
   * training images as are generated. No generator is expected to do better.
   */
  readonly real: Measures
}

export const createJudge = async (
  critics: Critics,
  { validation, training }: DataSet,
  samples: number,
): Promise<Judge> => {
  const held = gaussianOfOpinions(await critics.critic.judge(validation.images, validation.count))
  const own = await scoresOf(critics, validation, held)
  const others = await scoresOf(critics, firstOf(training, samples), held)
  return {
    scores: async (images) => {
      const { measures, variance } = await scoresOf(critics, images, held)
      return { measures, variance: variance / own.variance }
    },
    real: {
      realFid: others.measures.fid,
      realInceptionScore: own.measures.inceptionScore,
      realAgreement: own.measures.agreement,
    },
  }
}

const firstOf = ({ images, labels, count }: ImageSet, wanted: number): Labelled => {
  const taken = Math.min(count, wanted)
  return { images: images.subarray(0, (images.length / count) * taken), labels: labels.subarray(0, taken) }
}
