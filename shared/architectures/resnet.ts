import type { Architecture } from './architecture.ts'

const stage = (channels: number, repeats: number, stride: number) =>
  ({ block: 'bottleneck', channels, repeats, stride }) as const

/**
 * ResNet-50 for 32×32 images: pre-activation bottlenecks (He et al. 2016, "Identity Mappings"), in which every
 * normalization is followed by an activation, so that the searched layer stands at every one. CIFAR: 3×3 stem of
 * stride 1, no first pooling. `channels` are the inner ones; a block gives four times as many.
 */
export const resnet: Architecture = {
  stem: 64,
  stages: [stage(64, 3, 1), stage(128, 4, 2), stage(256, 6, 2), stage(512, 3, 2)],
  head: 0,
  preactivation: true,
}
