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
 * Regions of fixed number, those that stand for objects in front. Where fewer are found, the places left over are filled
 * by others of weight 0.
 */
export type Regions = {
  /** `[batch, rois, 4]` */
  readonly boxes: Tensor
  /** 1: counts. `[batch, rois]` */
  readonly weights: Tensor
  /** 0: background. `[batch, rois]`, int32 */
  readonly classes: Tensor
  /** Of the regions in front, `[batch, objectRegions]`: the object that each stands for, int32. */
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
    const front = objectRegions(settings)
    const draw = (among: Tensor, count: number) => {
      const { values, indices } = tf.topk(among.mul(chance.add(1)), count)
      return { indices, weights: tf.greater(values, tf.scalar(0.5)).cast('float32') }
    }
    const [inFront, behind] = [
      draw(isObject, front),
      draw(valid.sub(isObject), settings.regions.rois - front),
    ]
    const object = batched(standsFor, inFront.indices)
    return {
      boxes: batched(boxes, tf.concat([inFront.indices, behind.indices], 1)),
      weights: tf.concat([inFront.weights, behind.weights], 1),
      classes: tf.concat([batched(objects.classes, object), tf.zerosLike(behind.indices)], 1),
      object,
    }
  })
