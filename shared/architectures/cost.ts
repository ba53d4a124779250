import type { ArchitectureConfig } from '../records.ts'
import { architectureOf } from './index.ts'

/**
 * Multiply-adds of one forward pass over one image of side `imageSize`: what orders architectures from cheap to dear
 * and predicts a search's time. Convolutions only; squeeze-excite and norms are small beside them.
 */
export const multiplyAdds = (config: ArchitectureConfig, imageSize: number): number => {
  const { stem, stages, head } = architectureOf(config)
  let side = imageSize
  let channels = stem
  let total = side * side * 27 * stem
  for (const stage of stages)
    for (let i = 0; i < stage.repeats; i++) {
      const before = side * side
      if (i === 0) side = Math.ceil(side / stage.stride)
      const after = side * side
      if (stage.block === 'bottleneck') {
        const inner = stage.channels
        const out = 4 * inner
        const shortcut = i === 0 ? after * channels * out : 0
        total += before * channels * inner + after * 9 * inner * inner + after * inner * out + shortcut
        channels = out
      } else {
        const wide = channels * stage.expansion
        const expand = stage.expansion > 1 ? before * channels * wide : 0
        total += expand + after * stage.kernel ** 2 * wide + after * wide * stage.channels
        channels = stage.channels
      }
    }
  return total + side * side * channels * head
}
