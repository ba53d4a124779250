import type { Architecture } from './architecture.ts'

const stage = (expansion: number, channels: number, repeats: number, stride: number) =>
  ({ block: 'inverted', kernel: 3, squeeze: 0, expansion, channels, repeats, stride }) as const

/**
 * MobileNetV2 (Sandler et al. 2018, table 2) for 32×32 images: stem and second stage keep the resolution. The
 * head scales with the width below 1 too.
 */
export const mobilenetv2: Architecture = {
  stem: 32,
  stages: [
    stage(1, 16, 1, 1),
    stage(6, 24, 2, 1),
    stage(6, 32, 3, 2),
    stage(6, 64, 4, 2),
    stage(6, 96, 3, 1),
    stage(6, 160, 3, 2),
    stage(6, 320, 1, 1),
  ],
  head: 1280,
  preactivation: false,
}
