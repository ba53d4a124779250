import type { Architecture } from './architecture.ts'

const stage = (expansion: number, kernel: number, channels: number, repeats: number, stride: number) =>
  ({ block: 'inverted', squeeze: 0.25, expansion, kernel, channels, repeats, stride }) as const

/**
 * EfficientNet-B0 (Tan & Le 2019, table 1) for 32×32 images: stem and second stage keep the resolution. The
 * squeeze-excite blocks keep their own swish and sigmoid.
 */
export const efficientnet: Architecture = {
  stem: 32,
  stages: [
    stage(1, 3, 16, 1, 1),
    stage(6, 3, 24, 2, 1),
    stage(6, 5, 40, 2, 2),
    stage(6, 3, 80, 3, 2),
    stage(6, 5, 112, 3, 1),
    stage(6, 5, 192, 4, 2),
    stage(6, 3, 320, 1, 1),
  ],
  head: 1280,
  preactivation: false,
}
