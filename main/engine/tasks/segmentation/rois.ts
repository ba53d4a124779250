/** The regions that the heads train on: drawn from the proposals and the objects themselves (Girshick 2015, section 2.3). */
import { stopGradient } from '../../gradients/tape.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { overlaps } from './boxes.ts'
import type { Boxes } from './proposals.ts'
import { batched } from './rows.ts'
import { OBJECT_OVERLAP, objectRegions, type Settings } from './settings.ts'

/** The objects of a batch: `boxes` `[batch, most, 4]`, `classes` `[batch, most]` from 1 on; class 0 fills up. */
export type Objects = { readonly boxes: Tensor; readonly classes: Tensor }

/**
 * Regions of fixed number. A quarter of the places are in front: what objects leave of them is background, as the others
 * are; only where there is no more of it either, places are filled up by regions of weight 0.
 */
export type Regions = {
  /** `[batch, rois, 4]` */
  readonly boxes: Tensor
  /** 1: counts. `[batch, rois]` */
  readonly weights: Tensor
  /** 0: background. `[batch, rois]`, int32 */
  readonly classes: Tensor
  /** 1 where a region stands for an object, `[batch, objectRegions]` (the regions in front); and for which, int32. */
  readonly isObject: Tensor
  readonly object: Tensor
}

/** `chance` `[batch, proposals + objects]`, uniform in [0, 1), decides which are drawn. */
export const drawRegions = (
  proposals: Boxes,
  objects: Objects,
  chance: Tensor,
  settings: Settings,
): Regions =>
  stopGradient(() => {
    const { tf } = loadRuntime()
    const real = tf.greater(objects.classes, tf.scalar(0, 'int32')).cast('float32')
    const boxes = tf.concat([proposals.boxes, objects.boxes], 1)
    const valid = tf.concat([proposals.valid, real], 1)
    const table = overlaps(boxes, objects.boxes)
    const standsFor = tf.argMax(table, 2)
    const isObject = tf.greaterEqual(table.max(2), tf.scalar(OBJECT_OVERLAP)).cast('float32').mul(valid)
    const [front, count] = [objectRegions(settings), settings.regions.rois]
    const draw = (among: Tensor, most: number) => {
      const { values, indices } = tf.topk(among.mul(chance.add(1)), most)
      return { indices, weights: tf.greater(values, tf.scalar(0.5)).cast('float32') }
    }
    const objectsDrawn = draw(isObject, front)
    const background = draw(valid.sub(isObject), count)
    const n = valid.shape[0]!
    const behind = (x: Tensor): Tensor => tf.slice(x, [0, 0], [n, count - front])
    // From the last place on, so that those left over are the ones next in line.
    const spare = (x: Tensor): Tensor => tf.reverse(tf.slice(x, [0, count - front], [n, front]), 1)
    const there = objectsDrawn.weights
    const isThere = there.cast('int32')
    const others = spare(background.indices)
    const inFront = others.add(isThere.mul(objectsDrawn.indices.sub(others)))
    const object = batched(standsFor, inFront)
    return {
      boxes: batched(boxes, tf.concat([inFront, behind(background.indices)], 1)),
      weights: tf.concat([tf.maximum(there, spare(background.weights)), behind(background.weights)], 1),
      classes: tf.concat(
        [batched(objects.classes, object).mul(isThere), tf.zerosLike(behind(background.indices))],
        1,
      ),
      isObject: there,
      object,
    }
  })
