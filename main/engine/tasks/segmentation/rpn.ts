/**
 * Region proposal network (Ren et al. 2015): at every position of every level, how likely each anchor is an object and
 * how it should be moved. One head for all levels; their positions are normalised together.
 */
import { convolution, type Kit } from '../../blocks.ts'
import type { Mode } from '../../layer.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { RATIOS } from './anchors.ts'
import { output } from './output.ts'

/** `objectness` `[batch, anchors]` logits, `deltas` `[batch, anchors, 4]`, in the order of `anchorBoxes`. */
export type Proposed = { readonly objectness: Tensor; readonly deltas: Tensor }

export const createProposalHead = (kit: Kit, channels: number) => {
  const { tf } = loadRuntime()
  const hidden = convolution(kit, 3, channels, channels, 1)
  const site = kit.site(channels)
  const objectness = output(kit, channels, RATIOS.length, 0.01)
  const deltas = output(kit, channels, 4 * RATIOS.length, 0.01)
  return (levels: readonly Tensor[], mode: Mode): Proposed => {
    const batch = levels[0]!.shape[0]!
    const rows = levels.map((level) => hidden(level, mode).reshape([batch, -1, 1, channels]))
    const x = site(tf.concat(rows, 1), mode)
    return {
      objectness: objectness(x).reshape([batch, -1]),
      deltas: deltas(x).reshape([batch, -1, 4]),
    }
  }
}
