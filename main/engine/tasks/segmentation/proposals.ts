/** The proposal network's best boxes, of fixed number: best of each level, moved, clipped, the doubtful doubles dropped. */
import { gatherRows } from '../../gradients/detection.ts'
import { stopGradient } from '../../gradients/tape.ts'
import { attribute, loadRuntime, runOp, type Tensor } from '../../runtime.ts'
import { clipBoxes, decodeBoxes } from './boxes.ts'
import { batched } from './rows.ts'
import type { Proposed } from './rpn.ts'
import { PROPOSAL_OVERLAP, PROPOSAL_WEIGHTS, type Settings } from './settings.ts'

/** `boxes` `[batch, n, 4]`, best first; `valid` `[batch, n]`: 0 where a box only fills up. */
export type Boxes = { readonly boxes: Tensor; readonly valid: Tensor }

export const propose = ({ objectness, deltas }: Proposed, settings: Settings): Boxes =>
  stopGradient(() => {
    const { tf } = loadRuntime()
    const { levels, regions, imageSize } = settings
    const batch = objectness.shape[0]!
    const anchors = tf.tensor2d(settings.anchors, [settings.anchors.length / 4, 4])
    let start = 0
    const found = levels.map((level, i) => {
      const most = Math.min(level.anchors, regions.candidates)
      const scores = tf.slice(objectness, [0, start], [batch, level.anchors])
      const best = tf.topk(scores, most)
      const which = best.indices.add(tf.scalar(start, 'int32'))
      start += level.anchors
      const from = gatherRows(anchors, which)
      const boxes = clipBoxes(decodeBoxes(from, batched(deltas, which), PROPOSAL_WEIGHTS), imageSize)
      // Moved apart, boxes of different levels never count as doubles.
      return { scores: best.values, boxes, apart: boxes.add(2 * i * imageSize) }
    })
    const all = (key: 'scores' | 'boxes' | 'apart') =>
      tf.concat(
        found.map((level) => level[key]),
        1,
      )
    const [scores, boxes, apart] = [all('scores'), all('boxes'), all('apart')]
    const kept = Array.from({ length: batch }, (_, n) =>
      suppress(row(apart, n), row(scores, n), regions.proposals),
    )
    const which = tf.stack(kept.map(({ indices }) => indices))
    return { boxes: batched(boxes, which), valid: tf.stack(kept.map(({ valid }) => valid)) }
  })

const row = (x: Tensor, n: number): Tensor =>
  loadRuntime()
    .tf.slice(x, [n, ...x.shape.slice(1).map(() => 0)], [1, ...x.shape.slice(1)])
    .reshape(x.shape.slice(1))

/** Greedy non-maximum suppression of boxes `[n, 4]`: `most` indices and, for each, 1 where it is one that was kept. */
const suppress = (boxes: Tensor, scores: Tensor, most: number): { indices: Tensor; valid: Tensor } => {
  const { tf } = loadRuntime()
  const [indices, count] = runOp(
    'NonMaxSuppressionV4',
    [
      attribute.float32('T'),
      attribute.float32('T_threshold'),
      attribute.bool('pad_to_max_output_size', true),
    ],
    [boxes, scores, tf.scalar(most, 'int32'), tf.scalar(PROPOSAL_OVERLAP), tf.scalar(-1e30)],
    2,
  )
  const places = tf.tensor1d(Int32Array.from({ length: most }, (_, i) => i))
  return { indices: indices!, valid: tf.less(places, count!).cast('float32') }
}
