/** RoIAlign (He et al. 2017, section 3) from the level of the pyramid that suits a region's size. */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { cropAndResize, padByEdge } from '../../gradients/detection.ts'
import { stopGradient } from '../../gradients/tape.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import type { Level } from './anchors.ts'

/** Sampling points a bin, each way. */
const SAMPLES = 2
/** Regions are taken from P2 … P5. */
export const REGION_LEVELS = 4
/**
 * Strides a side of the smallest region that is at home on P2. Smaller ones are read from it, too; each doubling goes one level
 * up (224 pixels: P4; Lin et al., eq. 1).
 */
const CANONICAL = 14

/**
 * Where to sample `regions` `[k, 4]` (y₁, x₁, y₂, x₂ in pixels of the map, its corner at 0) evenly at `count` × `count`
 * points, as cropAndResize's boxes on a map of `side` pixels.
 */
export const samplingBoxes = (regions: Tensor, count: number, side: number) => {
  const { tf } = loadRuntime()
  const [top, left, bottom, right] = tf.split(regions, 4, 1) as [Tensor, Tensor, Tensor, Tensor]
  const along = (from: Tensor, to: Tensor): [Tensor, Tensor] => {
    const half = to.sub(from).div(2 * count)
    return [
      from
        .add(half)
        .sub(0.5)
        .div(side - 1),
      to
        .sub(half)
        .sub(0.5)
        .div(side - 1),
    ]
  }
  const [y, x] = [along(top, bottom), along(left, right)]
  return tf.concat([y[0], x[0], y[1], x[1]], 1)
}

/** The index of the level that each region `[k, 4]` is read from, `[k, 1]`, as numbers. */
export const levelOf = (regions: Tensor, finest: number): Tensor => {
  const { tf } = loadRuntime()
  const [top, left, bottom, right] = tf.split(regions, 4, 1) as [Tensor, Tensor, Tensor, Tensor]
  const area = tf.maximum(bottom.sub(top).mul(right.sub(left)), 1e-6)
  const octaves = tf.log(tf.sqrt(area).div(CANONICAL * finest)).div(Math.LN2)
  return tf.minimum(tf.maximum(tf.floor(octaves.add(1e-6)), 0), REGION_LEVELS - 1)
}

/**
 * Features `[k, bins, bins, c]` of regions `[k, 4]` (pixels of the image), each from its level: the mean of two by two
 * samples a bin; beyond the edge the outermost pixels go on. Every level crops all regions, those of other levels far
 * outside, where the crop is 0 and costs next to nothing; so all sizes are fixed.
 */
export const pyramidAlign = (
  maps: readonly Tensor[],
  levels: readonly Level[],
  regions: Tensor,
  which: Tensor,
  bins: number,
): Tensor => {
  const { tf } = loadRuntime()
  const level = stopGradient(() => levelOf(regions, levels[0]!.stride))
  const crops = levels.slice(0, REGION_LEVELS).map(({ stride, side }, i) => {
    const boxes = stopGradient(() => {
      const elsewhere = tf.notEqual(level, tf.scalar(i)).cast('float32').mul(-10)
      return samplingBoxes(regions.div(stride).add(1), SAMPLES * bins, side + 2).add(elsewhere)
    })
    return cropAndResize(padByEdge(maps[i]!), boxes, which, SAMPLES * bins)
  })
  return tf.avgPool(crops.reduce((sum, crop) => sum.add(crop)) as Tensor4D, SAMPLES, SAMPLES, 'valid')
}
