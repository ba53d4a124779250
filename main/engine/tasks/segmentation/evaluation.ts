/** Validation: detections in the images' own pixels, and COCO's average precisions of them. */
import { setImmediate } from 'node:timers/promises'
import type { Measures } from '../../../../shared/transfer.ts'
import type { AnnotatedImage } from '../../data/instances.ts'
import { boxOutOf, loadLetterboxed, type Letterbox } from '../../data/letterbox.ts'
import { evaluateCoco, type Detection, type Truth } from '../../metrics/coco.ts'
import { environmentally } from '../../environment.ts'
import type { Detector, Found } from './detector.ts'
import { writeNormalised } from './images.ts'
import { pasteMask } from './paste.ts'
import { MASK_SIDE, type Settings } from './settings.ts'

export const truthsOf = (images: readonly AnnotatedImage[]): Truth[] =>
  images.flatMap((image) =>
    image.instances().map(({ category, box, area, crowd, mask }) => ({
      image: image.id,
      category,
      box,
      area,
      crowd,
      mask,
    })),
  )

/** Detections in images, best first in each. */
export const detectAll = async (
  detector: Detector,
  images: readonly AnnotatedImage[],
  settings: Settings,
): Promise<Detection[]> => {
  const { batchSize, imageSize } = settings
  const detections: Detection[] = []
  for (let start = 0; start < images.length; start += batchSize) {
    const some = images.slice(start, start + batchSize)
    const input = new Float32Array(batchSize * imageSize ** 2 * 3)
    const fitted = await environmentally(Promise.all(some.map((image) => loadLetterboxed(image, imageSize))))
    fitted.forEach(({ pixels }, n) => writeNormalised(pixels, input, n))
    const found = detector.detect(input)
    // Lets the process's heartbeat and messages out.
    await setImmediate()
    some.forEach((image, n) => detections.push(...detectionsOf(found[n]!, image.id, fitted[n]!.at)))
  }
  return detections
}

const detectionsOf = (found: Found, image: number, at: Letterbox): Detection[] =>
  Array.from({ length: found.count }, (_, i) => {
    const [top, left, bottom, right] = [...found.boxes.subarray(4 * i, 4 * i + 4)] as Four
    const box = boxOutOf(at, [left, top, right - left, bottom - top])
    const mask = found.masks.subarray(i * MASK_SIDE ** 2, (i + 1) * MASK_SIDE ** 2)
    return {
      image,
      category: found.classes[i]!,
      score: found.scores[i]!,
      box,
      mask: pasteMask(mask, box, at.imageHeight, at.imageWidth),
    }
  })
type Four = [number, number, number, number]

/** The task's measures; one is absent where no object is in its range. */
export const measure = (truths: readonly Truth[], detections: readonly Detection[]): Measures => {
  const entries = (['mask', 'box'] as const).flatMap((kind) => {
    const of = evaluateCoco(truths, detections, kind)
    return (['ap', 'ap50', 'ap75', 'apSmall', 'apMedium', 'apLarge'] as const).flatMap((name) => {
      const value = of[name]
      return value === null ? [] : [[`${kind}${name[0]!.toUpperCase()}${name.slice(1)}`, value] as const]
    })
  })
  return Object.fromEntries(entries)
}
