import { transferPreset } from '../../../../shared/transfer.ts'
import type { SynthesisConfig } from '../../../../shared/transfer.ts'

/** A BigGAN that a test can afford: 16 pixels, few channels. */
export const synthesisConfig = ({
  data,
  network,
  training,
  sampling,
  ...rest
}: {
  readonly [K in 'data' | 'network' | 'training' | 'sampling']?: Partial<SynthesisConfig[K]>
} & Partial<Pick<SynthesisConfig, 'evaluateEvery' | 'checkpointEvery'>> = {}): SynthesisConfig => {
  const demo = transferPreset('synthesis', 'demo') as SynthesisConfig
  return {
    ...demo,
    ...rest,
    data: { ...demo.data, imageSize: 16, trainingImages: 128, validationImages: 64, ...data },
    network: { ...demo.network, channels: 4, latent: 9, sharedEmbedding: 6, attention: 8, ...network },
    training: { ...demo.training, batchSize: 16, discriminatorSteps: 1, ...training },
    sampling: { ...demo.sampling, samples: 64, ...sampling },
  }
}
